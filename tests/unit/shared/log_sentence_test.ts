import assert from "node:assert/strict";
import { logSentence } from "../../../shared/log_sentence.ts";

Deno.test("logSentence() tells an event with its record and what else is known", () => {
  assert.equal(
    logSentence("retrying", {
      topic: "t",
      partition: 3,
      offset: 7,
      last: "503",
      waitMs: 200,
      counted: false,
    }),
    "retrying t/3/7 (last 503, wait ms 200, counted false)",
  );
  assert.equal(logSentence("idle", {}), "idle");
  assert.equal(logSentence("stopped", { clean: true, none: null }), "stopped (clean true)");
});

Deno.test("logSentence() tells a cause, and its end, in sentences", () => {
  const cause = { cause: "outage", detail: "Most attempts fail", remedy: "Look at the workers." };
  assert.equal(logSentence("cause", cause), "outage: Most attempts fail. Look at the workers.");
  assert.equal(
    logSentence("delivery goes on", { afterMs: 14_200, after: "outage" }),
    "delivery goes on after 14 s (outage is over)",
  );
});
