// What people see of dead letters.

import assert from "node:assert/strict";
import {
  bar,
  heldAsText,
  listAsText,
  replayAsText,
  showAsText,
  takenAsText,
} from "../../../../consumer/cli/dlq_text.ts";

const LETTER = {
  at: "t.dlq/0/7",
  state: "open",
  origin: { at: "t/1/3", time: "2026-01-01T00:00:00.000Z" },
  key: "k",
  status: "422",
  reason: "rejected",
  parked_behind: null,
  cause: "rejected 422",
  attempts: 1,
  attempts_counted: 1,
  replays: 0,
  incomplete: false,
  dead_lettered_at: "2026-01-02T00:00:00.000Z",
} as const;
const SUMMARY = {
  meant: 1200,
  replayed: 1200,
  looping: 0,
  blocked: 0,
  foreign: 0,
  incomplete: 0,
  canary: undefined,
};

Deno.test("bar() shows what is done, how fast, and how long it still takes", () => {
  assert.equal(bar(50, 200, 5000), "[########----------------------] 50/200  10/s, 15 s left");
  assert.equal(bar(0, 200, 0), `[${"-".repeat(30)}] 0/200  0/s`);
});

Deno.test("listAsText() shows causes, then letters, and how many more there are", () => {
  const causes = [{ cause: "rejected 422", count: 3, parked: 2, oldest: "o", newest: "n", example: "d/0/1" }];
  const lines = listAsText({ total: 5, meant: 3, causes, dead_letters: [LETTER] }).split("\n");
  assert.deepEqual(lines[1]?.split(/\s{2,}/), ["rejected 422", "3", "2", "o", "n"]);
  assert.match(lines[4] ?? "", /^t\.dlq\/0\/7 .* 422 .* open .* t\/1\/3$/);
  assert.equal(lines.at(-1), "… and 2 more (--limit)");
});

Deno.test("showAsText() lets nothing of a record move the cursor, forge a row or turn the writing round", () => {
  const shown = showAsText({ ...LETTER, value: "a\x1b[2Jb\x07", headers: { h: ["1", "2\x1b"] } });
  assert.ok(shown.endsWith("a\\u001b[2Jb\\u0007"));
  assert.ok(shown.includes("h: 1\nh: 2\\u001b"));
  const forged = showAsText({ ...LETTER, value: "a\nstate  dropped\u202e", headers: { "x\ny": "1\n2" } });
  assert.ok(forged.endsWith("a\\nstate  dropped\\u202e"));
  assert.ok(forged.includes("\nx\\ny: 1\\n2\n"));
});

Deno.test("replayAsText() says how it ended, and what was left out and why", () => {
  const done = replayAsText({ ...SUMMARY, end: "done", looping: 2, blocked: 3, foreign: 1 });
  assert.match(
    done,
    /^1,200 of 1,200 replayed\.\n2 left out: replayed too often .*\n3 left out: an earlier record .*\n1 left out: their headers do not say/,
  );
  const canary = {
    end: "came-back",
    sent: 5,
    settled: 5,
    cameBack: ["rejected 422", "rejected 422"],
    unsettled: [],
  } as const;
  assert.equal(
    replayAsText({ ...SUMMARY, end: "canary-came-back", replayed: 5, canary }),
    "2 of 5 canaries came back (rejected 422): the other 1,195 were not replayed.",
  );
  assert.match(replayAsText({ ...SUMMARY, end: "interrupted", replayed: 7 }), /^Stopped after 7 of 1,200/);
});

Deno.test("takenAsText() says what became of a record, and claims nothing that has not happened", () => {
  const told = (taken: Record<string, string>) => takenAsText({ at: "t/0/7", ...taken });
  assert.equal(told({ effect: "now", result: "dead-lettered" }), "t/0/7 is dead-lettered.");
  assert.match(told({ effect: "after-attempt", result: "settled" }), /is settled: .* no dead letter/);
  assert.match(told({ effect: "now", result: "given-up" }), /is not dead-lettered: .* another consumer/);
  assert.match(
    told({ effect: "in-turn", result: "waiting" }),
    /is not dead-lettered yet: .* before it are settled/,
  );
  const why = "The topic is compacted. Mend it.";
  assert.match(
    told({ effect: "now", result: "waiting", why }),
    /is not dead-lettered yet: The topic is compacted/,
  );
});

Deno.test("listAsText() tells attempts that counted apart from those that did not", () => {
  const attempts = (made: number, counted: number | null) =>
    listAsText({
      total: 1,
      meant: 1,
      causes: [],
      dead_letters: [{ ...LETTER, attempts: made, attempts_counted: counted }],
    }).includes(counted === null || counted === made ? `  ${made}  ` : `  ${counted} of ${made} counted  `);
  assert.deepEqual([attempts(14, 8), attempts(8, 8), attempts(8, null)], [true, true, true]);
});

Deno.test("heldAsText() says where a record stands and what was answered last", () => {
  const held = {
    state: "dead_lettering",
    attempts: 0,
    posts: 12,
    last: "403",
    said: "No such\x1b[2J tenant",
  };
  const told = heldAsText(held);
  assert.match(told, /^dead lettering, 12 attempts, 0 counted, last answer 403 \(No such.*tenant\)$/);
  assert.ok(!told.includes("\x1b"));
  const first = { state: "in_flight", attempts: 1, posts: 1, last: null, said: null };
  assert.equal(heldAsText(first), "in flight, 1 attempts, no answer yet");
});
