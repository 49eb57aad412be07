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
