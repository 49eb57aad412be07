// How it is told what is paused and limited.

import assert from "node:assert/strict";
import { flowAsText } from "../../../../../consumer/cli/flow/flow_text.ts";

const ANN = { by: "ann", from: "10.0.0.7", since: "2026-11-28T10:00:00.000Z" };

Deno.test("flowAsText() says who paused what and what is limited", () => {
  const text = flowAsText({
    version: 3,
    pauses: [{ topic: "t", partition: 3, ...ANN }],
    rate: { recordsPerSecond: 50, setBy: ANN },
    pool: { permits: null, setBy: null },
    here: { partitions: 4, ofPartitions: 12, recordsPerSecond: 16.7, permits: 8, held: ["t/3"] },
    notKept: null,
  });
  assert.equal(
    text,
    `Paused: t/3 (by ann from 10.0.0.7, 2026-11-28T10:00:00.000Z)
Rate: 50 a second (by ann from 10.0.0.7, 2026-11-28T10:00:00.000Z); this consumer has 4 of 12 partitions
Pool: as many as the workers take`,
  );
});
