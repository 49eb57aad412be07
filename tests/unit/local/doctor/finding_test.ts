// A check that throws, or does not end.

import assert from "node:assert/strict";
import { findingsOf } from "../../../../local/doctor/finding.ts";
import { findingsAsText } from "../../../../local/doctor/text.ts";
import { checkMachine } from "../../../../local/doctor/machine.ts";
import { featuresText } from "../../../../local/doctor/model.ts";
import { ConfigError } from "../../../../shared/config/read.ts";

Deno.test("findingsOf() makes findings of what is thrown, one a problem", async () => {
  const broken = (error: Error) =>
    findingsOf({ about: "x", limitMs: 1000, look: () => Promise.reject(error) });
  const problems = await broken(new ConfigError(["A is not set", "B is no number"]));
  assert.deepEqual(problems.map(({ about, state, detail }) => [about, state, detail]), [
    ["x", "fail", "A is not set"],
    ["x", "fail", "B is no number"],
  ]);
  const [other] = await broken(new Error("boom"));
  assert.deepEqual([other?.state, other?.detail], ["fail", "boom"]);
});

Deno.test("findingsOf() ends in time", async () => {
  const [late] = await findingsOf({ about: "database", limitMs: 10, look: () => new Promise(() => {}) });
  assert.deepEqual([late?.about, late?.state, late?.detail], ["database", "fail", "no answer within 0.01 s"]);
});

Deno.test("findingsAsText() has a line each, what to do below it, and a count", () => {
  const text = findingsAsText([
    { about: "broker", state: "ok", detail: "answers" },
    { about: "schema", state: "fail", detail: "is not there", remedy: "Run deno task migrate" },
    { about: "model", state: "embedded", detail: "start has one" },
  ], false);
  assert.equal(
    text,
    `ok    broker      answers
FAIL  schema      is not there
                  → Run deno task migrate
-     model       start has one

1 wrong, 0 to look at.`,
  );
  assert.ok(
    findingsAsText([{ about: "a", state: "fail", detail: "b" }], true).startsWith("\x1b[31mFAIL\x1b[0m"),
  );
});

Deno.test("checkMachine() warns of little memory, and of a clock that is not set", () => {
  const states = (available: number, nowMs: number) =>
    checkMachine({ memory: { total: 2 ** 33, available }, nowMs }).map(({ about, state }) =>
      `${about} ${state}`
    );
  assert.deepEqual(states(2 ** 32, Date.UTC(2026, 10, 28)), ["memory ok"]);
  assert.deepEqual(states(2 ** 28, 0), ["memory warn", "clock fail"]);
});

Deno.test("featuresText() tells what a model takes from what it is asked otherwise", () => {
  const lesson = { model: "m", because: "", since: "" };
  assert.equal(
    featuresText([{ ...lesson, feature: "temperature", asks: "nothing" }, {
      ...lesson,
      feature: "usage",
      asks: "x",
    }]),
    "takes limit, reasoning, logprobs, schema, system; temperature: asks nothing; usage: asks x",
  );
});
