import assert from "node:assert/strict";
import { GoodputSearch } from "../../../../../shared/pool/limits/goodput_search.ts";

/** The lowest limit of two minutes in which eight at once are used and so many of ten attempts fail. */
function lowestLimit(failing: number): number {
  const search = new GoodputSearch(0);
  let lowest = Infinity;
  for (let each = 0; each < 6000; each++) {
    search.recordFinished(each % 10 >= failing, 100, 8, 8, each * 20);
    lowest = Math.min(lowest, search.limit);
  }
  return lowest;
}

Deno.test("GoodputSearch tries fewer unasked when all permits are used for long", () => {
  assert.ok(lowestLimit(0) < 8);
});

Deno.test("GoodputSearch tries no fewer unasked while many attempts fail: bad records only hold permits", () => {
  assert.equal(lowestLimit(5), Infinity);
});

/** Keeps as many in flight as may be, at most eight, until `untilMs`: each takes `latencyOf` of how many there are. */
function run(
  search: GoodputSearch,
  fromMs: number,
  untilMs: number,
  latencyOf: (inFlight: number) => number,
): void {
  const out: { readonly endMs: number; readonly tookMs: number }[] = [];
  for (let nowMs = fromMs; nowMs < untilMs; nowMs += 10) {
    for (const [at, { endMs, tookMs }] of out.entries()) {
      if (endMs > nowMs) continue;
      search.recordFinished(true, tookMs, out.length, 8, nowMs);
      out.splice(at, 1);
      break;
    }
    while (out.length < Math.min(8, search.limit)) {
      const tookMs = latencyOf(out.length + 1);
      out.push({ endMs: nowMs + tookMs, tookMs });
    }
  }
}

Deno.test("GoodputSearch grows from one at once, too, when more at once bring more again", () => {
  const search = new GoodputSearch(0);
  // One at a time: fewer bring as much.
  run(search, 0, 1_200_000, (inFlight) => 100 * inFlight);
  assert.equal(search.limit, 1);
  run(search, 1_200_000, 3_600_000, () => 100);
  assert.ok(search.limit >= 8, `${search.limit} after forty minutes`);
});

Deno.test("GoodputSearch judges no stretch that is shorter than the clock can tell: answers of batches come together", () => {
  const search = new GoodputSearch(0);
  let lowest = Infinity;
  // Batches of 64 that take 1 ms, or 3 ms now and then, for forty seconds.
  for (let nowMs = 0, batch = 0; nowMs < 40_000; batch++) {
    const tookMs = batch % 5 === 0 ? 3 : 1;
    nowMs += tookMs;
    for (let left = 64; left > 0; left--) search.recordFinished(true, tookMs, left, 64, nowMs);
    lowest = Math.min(lowest, search.limit);
  }
  assert.equal(lowest, Infinity);
});
