// The command line of produce, and what it says.

import assert from "node:assert/strict";
import { parseProduceArguments } from "../../../../local/produce/arguments.ts";
import { progressText, summaryText } from "../../../../local/produce/progress_text.ts";

const SUMMARY = {
  sent: 41_210,
  bytes: 40_300_000,
  inserted: 0,
  bad: 0,
  topic: "support-tickets",
  tookMs: 12_345,
};

Deno.test("parseProduceArguments() takes a file or standard input, and refuses what it does not know", () => {
  assert.deepEqual(parseProduceArguments(["-", "--insert"]), {
    file: "-",
    insert: true,
    json: false,
    home: undefined,
  });
  assert.equal(parseProduceArguments([]).file, undefined);
  assert.throws(() => parseProduceArguments(["a", "b"]), /More than one file: a, b/);
  assert.throws(() => parseProduceArguments(["--fast"]), /--fast/);
});

Deno.test("summaryText() says in one line what was done", () => {
  assert.equal(summaryText(SUMMARY, false), "41210 tickets (40.3 MB) sent to support-tickets in 12.3 s\n");
  assert.equal(
    summaryText({ ...SUMMARY, bytes: 1500, inserted: 3, bad: 2 }, false),
    "41210 tickets (1.5 kB) sent to support-tickets in 12.3 s, 3 new rows, 2 lines were bad and not sent\n",
  );
  assert.equal(JSON.parse(summaryText(SUMMARY, true)).took_ms, 12_345);
});

Deno.test("progressText() draws a bar where the end is known", () => {
  assert.equal(progressText(SUMMARY, 0.5), "[████████████············] 50%  41210 tickets sent");
  assert.equal(progressText({ ...SUMMARY, bad: 1 }, undefined), "41210 tickets sent, 1 bad lines");
});
