import assert from "node:assert/strict";
import { KeptStarts } from "../../../../../consumer/kafka/group/kept_starts.ts";
import { until } from "../../../../support/until.ts";

/** A group that refuses what the test says, with all that it was asked to keep. */
function group(refuses: (tries: number) => readonly string[] | Error) {
  const asked: string[][] = [];
  const stopping = new AbortController();
  const starts = new KeptStarts({
    commit: (places) => {
      const answer = refuses(asked.length);
      asked.push(places.map(({ partition, offset }) => `${partition}@${offset}`));
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(new Set(answer));
    },
  }, stopping.signal);
  return { starts, asked, stop: () => stopping.abort() };
}

const at = (partition: number, offset: number) => ({ topic: "t", partition, offset });

Deno.test("KeptStarts.keep() commits a start at once, offset 0 included, and once", async () => {
  const { starts, asked, stop } = group(() => []);
  starts.keep([at(0, 0), at(1, 7)]);
  await until("the commit", () => asked.length > 0);
  starts.keep([]);
  assert.deepEqual(asked, [["0@0", "1@7"]]);
  stop();
});

Deno.test("KeptStarts.keep() commits again what was refused, and nothing else", async () => {
  const { starts, asked, stop } = group((tries) =>
    tries === 0 ? new Error("rebalancing") : tries === 1 ? ["t/1"] : []
  );
  starts.keep([at(0, 0), at(1, 7)]);
  await until("the third", () => asked.length === 3);
  assert.deepEqual(asked, [["0@0", "1@7"], ["0@0", "1@7"], ["1@7"]]);
  stop();
});

Deno.test("KeptStarts.forget() has a start that a later mark supersedes never committed again", async () => {
  const { starts, asked, stop } = group((tries) => tries === 0 ? new Error("rebalancing") : []);
  starts.keep([at(0, 0), at(1, 7)]);
  starts.forget([at(0, 3)]);
  await until("the second", () => asked.length === 2);
  assert.deepEqual(asked[1], ["1@7"]);
  stop();
});
