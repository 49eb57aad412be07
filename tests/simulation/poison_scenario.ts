// Schedules about bad records: a share of 1 to 90%, steady or in bursts, alone or with an outage, of all or of a half.

import type { Fault, PlannedRecord, Scenario } from "./scenario.ts";
import { pick, stream, whole } from "./random.ts";

/** Records come in this time, in ms. */
const FOR_MS = 40_000;

/** The schedule of a seed. */
export function poisonScenarioOf(seed: number): Scenario {
  const random = stream(seed * 2246822519 + 3);
  const up = (least: number, most: number) => whole(least, most, random());
  const share = pick([0.01, 0.05, 0.1, 0.3, 0.6, 0.8, 0.9], random());
  const hangs = share <= 0.1 && random() < 0.5;
  const replicas = pick([1, 2, 4], random());
  const partitions = up(1, 4);
  const calm = random() < 0.5;
  const burst = pick([1, 1, 10], random());
  return {
    seed,
    machine: {
      mode: "parallel",
      commits: random() < 0.8 ? "async" : "sync",
      commitIntervalMs: 1000,
      batch: { size: 5, lingerMs: 50 },
      idleExitMs: undefined,
      maxAttempts: 8,
      parkKeys: false,
      backoff: { firstMs: 200, maxMs: pick([5000, 30_000], random()) },
      retryAfterMaxMs: 60_000,
      retryAgeMaxMs: 3_600_000,
      deadLetters: { burst: 20, share: pick([0.02, 0.5], random()) },
      bounds: { records: 10_000, bytes: 1e9 },
      metadataBytesMax: 4096,
      shutdownGraceMs: 30_000,
    },
    partitions,
    consumers: pick([1, 1, 2], random()),
    replicas,
    concurrency: 8,
    capacity: 1000,
    balanced: random() < 0.7,
    latencyMs: pick([20, 100], random()),
    timeoutMs: 2000,
    sessionTimeoutMs: 10_000,
    fetchMax: 20,
    sticky: true,
    meddled: false,
    records: recordsOf(random, {
      share,
      hangs,
      partitions,
      perSecond: up(3, 8),
      burst,
    }),
    markersAtEnd: 0,
    faults: calm ? [] : [outageOf(random)],
    goodFlow: calm,
    badCounted: calm && burst === 1 && share <= 0.05,
  };
}

interface Flow {
  readonly share: number;
  readonly hangs: boolean;
  readonly partitions: number;
  readonly perSecond: number;
  /** Bad records come so many at once. */
  readonly burst: number;
}

function recordsOf(
  random: () => number,
  { share, hangs, partitions, perSecond, burst }: Flow,
): PlannedRecord[] {
  const count = perSecond * FOR_MS / 1000;
  const bad = Math.ceil(count * share);
  const record = (atMs: number, behaviour: PlannedRecord["behaviour"]): PlannedRecord => ({
    partition: whole(0, partitions - 1, random()),
    key: null,
    atMs: Math.round(atMs),
    bytes: 100,
    behaviour,
    gapBefore: 0,
  });
  const bursts = Array.from({ length: Math.ceil(bad / burst) }, () => random() * FOR_MS);
  return [
    ...Array.from({ length: count - bad }, () => record(random() * FOR_MS, { kind: "good" })),
    ...Array.from(
      { length: bad },
      (_, each) => record(bursts[Math.floor(each / burst)] ?? 0, { kind: "poison", hangs }),
    ),
  ];
}

function outageOf(random: () => number): Fault {
  const when = { atMs: whole(0, FOR_MS / 2, random()), forMs: whole(500, 60_000, random()) };
  const denied = random() < 0.5;
  if (random() < 0.5) {
    return { ...when, type: "half_outage", hits: pick(["attempts", "records"], random()), denied };
  }
  if (denied) return { ...when, type: "bad_deploy" };
  return { ...when, type: "outage", how: pick(["error", "hang", "refused"], random()) };
}
