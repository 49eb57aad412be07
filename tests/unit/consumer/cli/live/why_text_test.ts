import assert from "node:assert/strict";
import { whyAsText } from "../../../../../consumer/cli/live/why_text.ts";
import { why } from "../../../../../consumer/core/why/why.ts";
import { factsWith, NOW_MS } from "../../core/why/fixtures.ts";

Deno.test("whyAsText() shows the sentence, what to do, what waiting costs, and eleven checks", () => {
  const causes = [
    { name: "no-replica", sinceMs: NOW_MS - 9000, detail: "None runs", remedy: "Start one" },
    { name: "dead-letter-flood", sinceMs: NOW_MS, detail: "62 wait", remedy: "Mend it" },
  ];
  const lines = whyAsText(why(factsWith({ causes })), "http://a:8080").split("\n");
  assert.deepEqual(lines.slice(0, 5), [
    "http://a:8080:",
    "Held up by no-replica for 9 s: None runs.",
    "What to do:         Start one.",
    "If nothing is done: Nothing is lost and no record loses an attempt; delivery goes on by itself once it is mended.",
    "Also dead-letter-flood: 62 wait. Mend it.",
  ]);
  assert.equal(lines.filter((line) => /^(ok|!!|\?) /.test(line)).length, 11);
});
