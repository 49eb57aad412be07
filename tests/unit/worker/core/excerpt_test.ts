// Tests of how long tickets are cut.

import assert from "node:assert/strict";
import fc from "fast-check";
import { estimatedTokens, excerptOf } from "../../../../worker/core/excerpt.ts";
import { workerApp } from "../../../support/workers/worker_app.ts";

Deno.test("excerptOf() leaves a ticket that fits as it is", () => {
  const ticket = { subject: "Hi", body: "x".repeat(390) };
  assert.deepEqual(excerptOf(ticket, 100), { text: ticket, truncated: false });
});

Deno.test("excerptOf() keeps head and tail of a long body and says how much is missing", () => {
  const { text, truncated } = excerptOf({ subject: "Hi", body: `HEAD${"x".repeat(10_000)}TAIL` }, 200);
  assert.equal(truncated, true);
  assert.match(text.body, /^HEADx+\n\[\.\.\. \d+ characters left out \.\.\.\]\nx+TAIL$/);
});

Deno.test("excerptOf() keeps any ticket near the budget, in any script, and never breaks a character", () => {
  fc.assert(fc.property(fc.string({ unit: "grapheme", maxLength: 400 }), fc.nat(40), (unit, repeats) => {
    const { text } = excerptOf({ subject: unit, body: unit.repeat(repeats) }, 120);
    assert.ok(estimatedTokens(text.subject) + estimatedTokens(text.body) <= 120 + 30);
    assert.ok(text.body.isWellFormed());
  }));
});

Deno.test("POST /classify says that it cut a ticket", async () => {
  const rules = { prices: [], ticketTokensMax: 100, confidenceTemperature: 1 };
  const { classify, prompts } = workerApp({ maxBodyBytes: 100_000, rules });
  const label = await (await classify({ subject: "Long", body: "x".repeat(50_000) })).json();
  assert.equal(label.truncated, true);
  assert.ok((prompts[0]?.user.length ?? 0) < 600);
});
