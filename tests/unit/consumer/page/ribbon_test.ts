// What a ribbon draws.

import assert from "node:assert/strict";
import type { OffsetSpan } from "../../../../consumer/core/view.ts";
import { ribbonOf } from "../../../../consumer/page/ribbon.ts";

const ribbon = (spans: readonly OffsetSpan[], [watermark, position, end]: [number, number, number]) =>
  ribbonOf({ watermark, position, end, spans });

Deno.test("ribbonOf() draws states in order of offsets, and what was not read yet behind them", () => {
  const spans: OffsetSpan[] = [
    { first: 100, last: 100, state: "waiting" },
    { first: 101, last: 104, state: "settled" },
    { first: 105, last: 106, state: "in_flight" },
    { first: 107, last: 107, state: "ready" },
  ];
  assert.deepEqual(ribbon(spans, [100, 108, 110]).parts.map(({ state, from, to }) => [state, from, to]), [
    ["waiting", 0, 0.1],
    ["settled", 0.1, 0.5],
    ["in-flight", 0.5, 0.7],
    ["ready", 0.7, 0.8],
    ["unread", 0.8, 1],
  ]);
});

Deno.test("ribbonOf() of a partition that is settled to its end has no part", () => {
  assert.deepEqual(ribbon([], [7, 7, 7]), { first: 7, end: 7, parts: [] });
});

Deno.test("ribbonOf() shows the one record among a million that waits", () => {
  const spans: OffsetSpan[] = [
    { first: 0, last: 499_999, state: "settled" },
    { first: 500_000, last: 500_000, state: "dead_lettering" },
    { first: 500_001, last: 999_999, state: "settled" },
  ];
  const { parts } = ribbon(spans, [0, 1_000_000, 1_000_000]);
  assert.deepEqual(parts.map(({ state }) => state), ["settled", "dead", "settled"]);
  assert.ok(parts.every(({ from, to }) => to > from));
});
