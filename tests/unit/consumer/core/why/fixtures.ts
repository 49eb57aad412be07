// Facts of a consumer at work, for the tests of `why`.

import type { HeadView, MachineView, PartitionView } from "../../../../../consumer/core/view.ts";
import type { WhyFacts } from "../../../../../consumer/core/why/facts.ts";

/** 2026-01-31T12:00:00Z. */
export const NOW_MS = Date.UTC(2026, 0, 31, 12);

/** A partition with so many records to do. */
export function partitionOf(partition: number, backlog = 0, head?: Partial<HeadView>): PartitionView {
  return {
    topic: "tickets",
    partition,
    id: `tickets/${partition}`,
    epoch: 1,
    backlog,
    watermark: 10,
    position: 10 + backlog,
    end: 10 + backlog,
    committed: 10,
    inFlight: 0,
    spans: [],
    mapFull: false,
    held: false,
    ready: backlog,
    suspects: 0,
    head: head && {
      offset: 10,
      timestampMs: NOW_MS - 60_000,
      sentMs: NOW_MS - 30_000,
      receivedMs: NOW_MS - 31_000,
      attemptsCounted: 0,
      attemptsSent: 1,
      lastOutcome: undefined,
      state: "waiting",
      ...head,
    },
    parkingKnown: true,
    parkedKeys: [],
    parkedKeyCount: 0,
  };
}

/** A healthy consumer that is idle, but for what is given. */
export function factsWith(
  facts: Partial<Omit<WhyFacts, "view">> = {},
  view: Partial<MachineView> = {},
): WhyFacts {
  return {
    nowMs: NOW_MS,
    group: "labels",
    causes: [],
    oldestAgeMs: null,
    rates: undefined,
    replicas: [{
      address: "http://10.0.0.1:8000",
      permits: 8,
      inFlight: 0,
      latencyMs: 900,
      out: undefined,
      complaints: [],
    }],
    provider: undefined,
    ...facts,
    view: {
      partitions: [partitionOf(0), partitionOf(1)],
      inFlight: 0,
      permits: 8,
      ratePerSecond: undefined,
      waiting: 0,
      heldBytes: 0,
      pause: undefined,
      deadLettersWaiting: 0,
      floodSinceMs: undefined,
      commonFailure: undefined,
      deadLettersFailingSinceMs: undefined,
      commitsFailingSinceMs: undefined,
      stopping: false,
      rebalancing: false,
      ...view,
    },
  };
}
