// The one line about how far labelling is.

import assert from "node:assert/strict";
import { LabelProgress } from "../../../../local/start/label_progress.ts";

Deno.test("LabelProgress says how many are labelled, how fast, how many are to come, and how long that takes", () => {
  const progress = new LabelProgress();
  assert.equal(progress.text(0, 7059, 0), "0 labelled · 7,059 to go");
  assert.equal(
    progress.text(1829, 5230, 44_600 / 44.6),
    "1,829 labelled · 1,829/s · 5,230 to go · about 3 s",
  );
  assert.equal(progress.text(1829, 0, 2000), undefined);
});

Deno.test("LabelProgress goes by the last ten seconds", () => {
  const progress = new LabelProgress();
  progress.text(0, 1000, 0);
  progress.text(500, 500, 1000);
  for (let second = 2; second <= 12; second++) progress.text(500 + second * 4, 400, second * 1000);
  assert.equal(progress.text(552, 400, 13_000), "552 labelled · 4.0/s · 400 to go · about 2 min");
});
