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
  total: undefined,
};

Deno.test("parseProduceArguments() takes a file or standard input, and refuses what it does not know", () => {
  assert.deepEqual(parseProduceArguments(["-", "--insert"]), {
    file: "-",
    columns: {},
    insert: true,
    unlabelled: false,
    outdated: false,
    json: false,
    home: undefined,
  });
  assert.equal(parseProduceArguments([]).file, undefined);
  assert.throws(() => parseProduceArguments(["a", "b"]), /More than one file: a, b/);
  assert.throws(() => parseProduceArguments(["--fast"]), /--fast/);
});

Deno.test("summaryText() says in one line what was done", () => {
  assert.equal(summaryText(SUMMARY, false), "41,210 tickets (40.3 MB) sent to support-tickets in 12.3 s\n");
  assert.equal(
    summaryText({ ...SUMMARY, bytes: 1500, inserted: 3, bad: 2, total: 41_212 }, false),
    "41,210 of 41,212 tickets (1.5 kB) sent to support-tickets in 12.3 s, 3 new rows, 2 were bad and not sent\n",
  );
  assert.equal(JSON.parse(summaryText(SUMMARY, true)).took_ms, 12_345);
});

Deno.test("progressText() says how many of how many, and after a while how long it will take", () => {
  const half = { share: 0.5, total: 82_420 };
  assert.equal(progressText(SUMMARY, half, 500), "[████████████············] 41,210 of 82,420 tickets");
  assert.equal(
    progressText(SUMMARY, half, 20_000),
    "[████████████············] 41,210 of 82,420 tickets, about 20 s to go",
  );
  assert.match(
    progressText(SUMMARY, { share: 0.25 }, 600_000),
    /41,210 of about 164,840 tickets, about 30 min to go$/,
  );
  assert.equal(progressText({ ...SUMMARY, bad: 1 }, undefined, 0), "41,210 tickets sent, 1 bad");
});

Deno.test("parseProduceArguments() takes columns with a file alone, and rows without a label alone", () => {
  const { columns } = parseProduceArguments(["a.csv", "--id", "nr", "--body", "text"]);
  assert.deepEqual(columns, { id: "nr", body: "text" });
  assert.throws(() => parseProduceArguments(["--id", "nr"]), /which file/);
  assert.equal(parseProduceArguments(["--unlabelled"]).unlabelled, true);
  assert.throws(() => parseProduceArguments(["a.csv", "--unlabelled"]), /takes no file/);
  assert.throws(() => parseProduceArguments(["--outdated"]), /goes with --unlabelled/);
});
