// Tests of what isolates of one process know of each other.

import assert from "node:assert/strict";
import { Isolates } from "../../../worker/isolates.ts";
import { until } from "../../support/until.ts";

function started(names: readonly string[]) {
  const name = crypto.randomUUID();
  const counts: Record<string, number> = {};
  const channels: BroadcastChannel[] = [];
  const isolates = names.map((id) => {
    const channel = new BroadcastChannel(name);
    channels.push(channel);
    return new Isolates(id, channel, (count) => counts[id] = count);
  });
  return { isolates, counts, [Symbol.dispose]: () => channels.forEach((channel) => channel.close()) };
}

Deno.test("Isolates: each learns how many there are, whichever began first", async () => {
  using group = started(["a", "b", "c"]);
  await until(
    "every isolate counts three",
    () => Object.keys(group.counts).length === 3 && Object.values(group.counts).every((n) => n === 3),
  );
});

Deno.test("Isolates.done() waits until every isolate is done", async () => {
  using group = started(["a", "b", "c"]);
  const { isolates: [a, b, c], counts } = group;
  assert.ok(a && b && c);
  await until("every isolate counts three", () => Object.values(counts).filter((n) => n === 3).length === 3);
  const ended: string[] = [];
  const first = a.done().then(() => ended.push("a"));
  const second = b.done().then(() => ended.push("b"));
  // A word that came and was answered: what was said before it has been heard.
  using later = started(["x", "y"]);
  await until("a later word is heard", () => later.counts["x"] === 2);
  assert.deepEqual(ended, []);
  await Promise.all([c.done(), first, second]);
});

Deno.test("Isolates.done() waits for nobody where there is nobody else", async () => {
  using group = started(["a"]);
  await group.isolates[0]?.done();
  assert.deepEqual(group.counts, {});
});
