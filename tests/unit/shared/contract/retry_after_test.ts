import assert from "node:assert/strict";
import fc from "fast-check";
import { parseRetryAfter } from "../../../../shared/contract/retry_after.ts";

const now = Date.parse("Sun, 06 Nov 1994 08:49:00 GMT");

Deno.test("parseRetryAfter() reads seconds", () => {
  assert.equal(parseRetryAfter("120", now), 120_000);
  assert.equal(parseRetryAfter(" 0 ", now), 0);
});

Deno.test("parseRetryAfter() reads an HTTP date as the wait until then, and one in the past as 0", () => {
  assert.equal(parseRetryAfter("Sun, 06 Nov 1994 08:49:37 GMT", now), 37_000);
  assert.equal(parseRetryAfter("Sunday, 06-Nov-94 08:49:37 GMT", now), 37_000);
  assert.equal(parseRetryAfter("Sat, 05 Nov 1994 08:49:37 GMT", now), 0);
});

Deno.test("parseRetryAfter() is undefined for everything else", () => {
  for (const value of [undefined, null, "", "soon", "-1", "1.5", "1e3", "12 s", "Sun, nonsense"]) {
    assert.equal(parseRetryAfter(value, now), undefined, String(value));
  }
});

Deno.test("parseRetryAfter() never throws and never gives a negative wait", () => {
  fc.assert(fc.property(fc.string(), (text) => {
    const waitMs = parseRetryAfter(text, now);
    assert.ok(waitMs === undefined || waitMs >= 0);
  }));
});
