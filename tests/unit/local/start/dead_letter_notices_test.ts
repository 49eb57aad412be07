import assert from "node:assert/strict";
import { DeadLetterNotices } from "../../../../local/start/dead_letter_notices.ts";

function setUp() {
  const shown: string[] = [];
  const waits: { readonly ms: number; readonly callBack: () => void }[] = [];
  const lines = new DeadLetterNotices({
    show: (line) => shown.push(line),
    later: (ms, callBack) => waits.push({ ms, callBack }),
  });
  return { lines, shown, waits };
}

Deno.test("DeadLetterNotices tells several dead letters in one line, with why and what to do", () => {
  const { lines, shown, waits } = setUp();
  for (const reason of ["rejected", "rejected", "attempts"]) lines.add(reason);
  assert.deepEqual([shown, waits.length], [[], 1]);
  waits[0]?.callBack();
  assert.deepEqual(shown, ["! 3 dead letters (2 rejected, 1 attempts): deno task dlq list shows why"]);
});

Deno.test("DeadLetterNotices gathers those that follow for longer, and counts them anew", () => {
  const { lines, shown, waits } = setUp();
  lines.add("rejected");
  waits[0]?.callBack();
  lines.add("attempts");
  assert.deepEqual(waits.map(({ ms }) => ms), [1000, 10_000]);
  waits[1]?.callBack();
  assert.deepEqual(shown, [
    "! 1 dead letter (rejected): deno task dlq list shows why",
    "! 1 dead letter (attempts): deno task dlq list shows why",
  ]);
});
