import assert from "node:assert/strict";
import fc from "fast-check";
import { parseRetryAfter, wholeSeconds } from "../../../../shared/contract/retry_after.ts";

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

Deno.test("parseRetryAfter() reads fractions of a second and never asks for less", () => {
  const waits = {
    "0.5": 500,
    "7.66": 7660,
    ".25": 250,
    "3.": 3000,
    "0.0001": 1,
    "1.23456": 1235,
    "0.1": 100,
  };
  for (const [value, waitMs] of Object.entries(waits)) {
    assert.equal(parseRetryAfter(value, now), waitMs, value);
  }
  fc.assert(fc.property(fc.double({ min: 0.001, max: 299, noNaN: true }), (seconds) => {
    const value = seconds.toFixed(6);
    const waitMs = parseRetryAfter(value, now) ?? NaN;
    assert.ok(waitMs >= Number(value) * 1000 - 1e-6 && waitMs <= Number(value) * 1000 + 1.001, value);
  }));
});

Deno.test("parseRetryAfter() takes the longest where the field came several times", () => {
  assert.equal(parseRetryAfter("2, 7.5", now), 7500);
  assert.equal(parseRetryAfter(["2", "Sun, 06 Nov 1994 08:49:37 GMT", "soon"], now), 37_000);
});

Deno.test("parseRetryAfter() honours no wait beyond the longest: five minutes, or as it is told", () => {
  for (const value of ["3600", "99999999", "9".repeat(400), "3600.5", "Sun, 06 Nov 2094 08:49:37 GMT"]) {
    assert.equal(parseRetryAfter(value, now), 300_000, value);
    assert.equal(parseRetryAfter(value, now, 1000), 1000, value);
  }
  assert.equal(parseRetryAfter("1", now, 0), 0);
});

Deno.test("wholeSeconds() rounds fractions up and leaves the rest as it is", () => {
  const values = ["0.5", "7.66", "8", "Sun, 06 Nov 1994 08:49:37 GMT", "soon"];
  assert.deepEqual(values.map(wholeSeconds), ["1", "8", "8", "Sun, 06 Nov 1994 08:49:37 GMT", "soon"]);
});

Deno.test("parseRetryAfter() is undefined for everything else", () => {
  for (
    const value of [undefined, null, "", "soon", "-1", ".", "1.2.3", ",", "1e3", "12 s", "Sun, nonsense"]
  ) {
    assert.equal(parseRetryAfter(value, now), undefined, String(value));
  }
});

Deno.test("parseRetryAfter() never throws and never gives a negative wait", () => {
  fc.assert(fc.property(fc.string(), (text) => {
    const waitMs = parseRetryAfter(text, now);
    assert.ok(waitMs === undefined || (waitMs >= 0 && waitMs <= 300_000));
  }));
});
