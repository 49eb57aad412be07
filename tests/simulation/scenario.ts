// A schedule: what is configured, which records there are, and which faults happen when. Plain data, made from a seed.

import type { MachineConfig } from "../../consumer/core/machine.ts";
import { clusterFaultsOf } from "./cluster_faults.ts";
import { poisonScenarioOf } from "./poison_scenario.ts";
import { chance, pick, stream, whole } from "./random.ts";

/** How a record behaves at a worker. */
export type Behaviour =
  | { readonly kind: "good" }
  /** Fails always: with a 5xx, or by running into the time limit. */
  | { readonly kind: "poison"; readonly hangs: boolean }
  /** 400, 413, 415 or 422. */
  | { readonly kind: "rejected"; readonly status: number }
  /** The worker asks for its dead letter. */
  | { readonly kind: "asked" }
  /** 500 with `Ackpool-Action: settle`. */
  | { readonly kind: "waved_through" }
  /** 404 `ticket-not-found` until then. */
  | { readonly kind: "missing"; readonly untilMs: number }
  /** Fails so many times, in a way of its own, then works. */
  | {
    readonly kind: "flaky";
    readonly times: number;
    readonly how: "error" | "hang" | "lost" | "asks_retry";
  };

/** One record of the log. */
export interface PlannedRecord {
  readonly partition: number;
  readonly key: string | null;
  readonly atMs: number;
  readonly bytes: number;
  readonly behaviour: Behaviour;
  /** Offsets before it that are never delivered: compacted away, or transaction markers. */
  readonly gapBefore: number;
}

/** One fault. Those that last end by themselves. */
export type Fault =
  & { readonly atMs: number; readonly forMs: number }
  & (
    /** No replica works and `/readyz` says so. */
    | { readonly type: "outage"; readonly how: "error" | "hang" | "refused" }
    /** Everything answers 500 while `/readyz` is fine. */
    | { readonly type: "bad_deploy" }
    /** Half of the attempts fail, or all attempts of half of the records; `/readyz` may deny it. */
    | { readonly type: "half_outage"; readonly hits: "attempts" | "records"; readonly denied: boolean }
    | { readonly type: "misconfigured"; readonly status: number }
    | { readonly type: "replica_down"; readonly replica: number }
    | { readonly type: "rate_limit" }
    | { readonly type: "no_replica" }
    | { readonly type: "slow"; readonly times: number }
    /** kill -9, and a new process `forMs` later. */
    | { readonly type: "kill"; readonly consumer: number }
    /** SIGTERM, and a new process `forMs` later. */
    | { readonly type: "restart"; readonly consumer: number }
    /** One more consumer, which leaves cleanly `forMs` later. */
    | { readonly type: "join" }
    /** The group takes a live member for dead. */
    | { readonly type: "evict"; readonly consumer: number }
    | { readonly type: "rebalance" }
    /** An operator takes the oldest unsettled record of a partition out, whichever member has it. */
    | { readonly type: "take"; readonly partition: number }
    /** An operator replays the first dead letters of a key, or of a whole partition. */
    | {
      readonly type: "replay";
      readonly partition: number;
      readonly key: string | undefined;
      readonly most: number;
    }
    /** An operator drops the first dead letter of a partition. */
    | { readonly type: "drop"; readonly partition: number }
    /** An operator pauses everything, the source topic, or a partition of it, and resumes it. */
    | { readonly type: "pause"; readonly of: "all" | "topic" | number }
    /** An operator limits the group. */
    | {
      readonly type: "limit";
      readonly ratePerSecond: number | undefined;
      readonly permitsMax: number | undefined;
    }
    /** Nothing of a source partition can be read, committed or dead-lettered; the others go on. */
    | { readonly type: "leaderless"; readonly partition: number }
    /** A member does not hear what the next join gives it, and goes on with what it had. */
    | { readonly type: "half_join"; readonly consumer: number }
    /** The machines' clocks are set back; they were set right again after a while. */
    | { readonly type: "clock_back"; readonly byMs: number }
    /** The source topic is deleted and made anew: offsets begin again, timestamps go on. */
    | { readonly type: "topic_anew" }
    /** All members lose the group for a while, and an operator sets a partition back. */
    | { readonly type: "rewind"; readonly partition: number; readonly share: number }
    | { readonly type: "commits_fail"; readonly how: "refused" | "unanswered" | "late" }
    | { readonly type: "dead_letters_fail"; readonly how: "refused" | "unanswered" }
  );

/** Everything a run depends on. */
export interface Scenario {
  readonly seed: number;
  readonly machine: MachineConfig;
  readonly partitions: number;
  readonly consumers: number;
  readonly replicas: number;
  /** Attempts at once that consumers believe a replica takes, and that it really takes. */
  readonly concurrency: number;
  readonly capacity: number;
  /** Permits from the real balancer, or a fixed number. */
  readonly balanced: boolean;
  readonly latencyMs: number;
  readonly timeoutMs: number;
  readonly sessionTimeoutMs: number;
  /** Most records a fetch brings. */
  readonly fetchMax: number;
  readonly sticky: boolean;
  /** What is read back as metadata may be damaged, or another partition's. */
  readonly meddled: boolean;
  readonly records: readonly PlannedRecord[];
  /** An open transaction's markers at the end of the log: offsets that nothing is ever delivered for. */
  readonly markersAtEnd: number;
  readonly faults: readonly Fault[];
  /** Good records have to flow whatever share of records is bad. */
  readonly goodFlow?: boolean;
  /** Bad records are so few that every attempt has to count. */
  readonly badCounted?: boolean;
}

/** Faults happen in this time, in ms. */
export const FAULTS_FOR_MS = 60_000;

/** One schedule in so many is about bad records. */
const POISON_EVERY = 40;

/** The schedule of a seed. */
export function scenarioOf(seed: number): Scenario {
  return seed % POISON_EVERY === 0 ? poisonScenarioOf(seed) : mixedScenarioOf(seed);
}

function mixedScenarioOf(seed: number): Scenario {
  const random = stream(seed * 2654435761 + 1);
  const up = (least: number, most: number) => whole(least, most, random());
  const partitions = up(1, 4);
  const machine = parked(seed, machineOf(random));
  const replicas = up(1, 3);
  const balanced = random() < 0.5;
  const concurrency = up(1, 6);
  const bad = random() < 0.6 ? 0.03 : pick([0, 0.1, 0.3, 0.8], random());
  const drained = machine.idleExitMs !== undefined;
  const count = up(1, 40) + (random() < 0.2 ? up(0, 120) : 0);
  const keys = up(1, 8);
  return {
    seed,
    machine,
    partitions,
    replicas,
    balanced,
    concurrency,
    capacity: random() < 0.7 ? 1000 : concurrency,
    consumers: pick([1, 1, 1, 2, 2, 3], random()),
    latencyMs: pick([1, 20, 100, 400], random()),
    timeoutMs: pick([1000, 5000, 10_000], random()),
    sessionTimeoutMs: up(3000, 10_000),
    fetchMax: pick([1, 5, 20, 50], random()),
    sticky: random() < 0.5,
    meddled: random() < 0.2,
    records: Array.from({ length: count }, () => recordOf(random, partitions, keys, bad, drained)),
    markersAtEnd: random() < 0.3 ? up(1, 3) : 0,
    faults: [
      ...faultsOf(random, replicas, balanced, machine.mode),
      ...(machine.parkKeys ? deedsOf(seed, partitions, keys) : []),
      ...clusterFaultsOf(seed, partitions, machine),
    ].sort((a, b) => a.atMs - b.atMs),
  };
}

function machineOf(random: () => number): MachineConfig {
  const up = (least: number, most: number) => whole(least, most, random());
  return {
    mode: pick(["parallel", "parallel", "key", "key", "partition", "batch", "fast"], random()),
    commits: random() < 0.65 ? "async" : "sync",
    commitIntervalMs: pick([10, 200, 1000, 5000], random()),
    batch: { size: up(1, 12), lingerMs: pick([0, 50, 1000], random()) },
    idleExitMs: random() < 0.15 ? 20_000 : undefined,
    maxAttempts: pick([8, 8, 12], random()),
    parkKeys: false,
    backoff: { firstMs: pick([1, 200], random()), maxMs: pick([1000, 30_000], random()) },
    retryAfterMaxMs: pick([1000, 60_000], random()),
    retryAgeMaxMs: 3_600_000,
    deadLetters: { burst: pick([1, 3, 20], random()), share: pick([0, 0.02, 0.5], random()) },
    bounds: {
      records: 10_000,
      bytes: pick([300, 3000, 1e9], random()),
    },
    // The smaller ones have room for three entries, or for ten.
    metadataBytesMax: pick([44, 64, 4096], random()),
    shutdownGraceMs: 30_000,
  };
}

/** Half of the schedules in `key` mode park keys. */
function parked(seed: number, machine: MachineConfig): MachineConfig {
  if (machine.mode !== "key" || chance(seed, 9001) < 0.5) return machine;
  return { ...machine, parkKeys: true, idleExitMs: undefined };
}

/** What operators do with the dead letters of parked keys. */
function deedsOf(seed: number, partitions: number, keys: number): Fault[] {
  const random = stream(seed * 40503 + 7);
  return Array.from({ length: whole(0, 8, random()) }, (): Fault => {
    const when = { atMs: whole(0, FAULTS_FOR_MS, random()), forMs: 0 };
    const partition = whole(0, partitions - 1, random());
    if (random() < 0.15) return { ...when, type: "drop", partition };
    const key = random() < 0.5 ? undefined : `k${whole(1, keys, random())}`;
    return { ...when, type: "replay", partition, key, most: random() < 0.5 ? 1000 : whole(1, 4, random()) };
  });
}

function recordOf(
  random: () => number,
  partitions: number,
  keys: number,
  bad: number,
  drained: boolean,
): PlannedRecord {
  const spread = !drained && random() < 0.5;
  return {
    partition: whole(0, partitions - 1, random()),
    key: random() < 0.15 ? null : `k${whole(1, keys, random())}`,
    atMs: spread ? whole(0, FAULTS_FOR_MS, random()) : 0,
    bytes: random() < 0.02 ? 5000 : whole(64, 200, random()),
    behaviour: random() < bad ? badBehaviour(random) : usualBehaviour(random),
    gapBefore: random() < 0.1 ? whole(1, 4, random()) : 0,
  };
}

function badBehaviour(random: () => number): Behaviour {
  const which = random();
  if (which < 0.5) return { kind: "poison", hangs: random() < 0.2 };
  if (which < 0.85) return { kind: "rejected", status: pick([400, 413, 415, 422], random()) };
  return { kind: "asked" };
}

function usualBehaviour(random: () => number): Behaviour {
  if (random() < 0.85) return { kind: "good" };
  const which = random();
  if (which < 0.1) return { kind: "waved_through" };
  if (which < 0.25) return { kind: "missing", untilMs: whole(0, 5000, random()) };
  const how = pick(["error", "error", "hang", "lost", "asks_retry"], random());
  return { kind: "flaky", times: whole(1, 2, random()), how };
}

function faultsOf(random: () => number, replicas: number, balanced: boolean, mode: string): Fault[] {
  const count = random() < 0.1 ? 0 : whole(1, 5, random());
  const faults = Array.from({ length: count }, (): Fault => {
    const when = { atMs: whole(0, FAULTS_FOR_MS, random()), forMs: whole(100, 20_000, random()) };
    const consumer = whole(0, 3, random());
    const [which, how] = [random(), random()];
    if (which < 0.14) return { ...when, type: "outage", how: pick(["error", "hang", "refused"], how) };
    if (which < 0.2) return { ...when, type: "bad_deploy" };
    if (which < 0.26) {
      return { ...when, type: "misconfigured", status: pick([301, 401, 403, 404, 405, 501], how) };
    }
    if (which < 0.34) {
      // Without a balancer nothing would keep records from the dead replica: that is a whole outage then.
      if (!balanced) return { ...when, type: "outage", how: "refused" };
      return { ...when, type: "replica_down", replica: whole(0, replicas - 1, how) };
    }
    if (which < 0.4) return { ...when, type: "rate_limit" };
    if (which < 0.44) return { ...when, type: "no_replica" };
    if (which < 0.48) return { ...when, type: "slow", times: whole(2, 10, how) };
    if (which < 0.6) return { ...when, type: "kill", consumer };
    if (which < 0.68) return { ...when, type: "restart", consumer };
    if (which < 0.76) return { ...when, type: "join" };
    if (which < 0.8) return { ...when, type: "evict", consumer };
    if (which < 0.87) return { ...when, type: "rebalance" };
    if (which < 0.95) {
      return {
        ...when,
        type: "commits_fail",
        how: pick(["refused", "unanswered", "unanswered", "late"], how),
      };
    }
    return { ...when, type: "dead_letters_fail", how: pick(["refused", "unanswered"], how) };
  });
  if (mode === "fast" && random() < 0.3) {
    // The hard case of `fast`: what was committed too early and not confirmed has to be taken back.
    const when = { atMs: whole(0, FAULTS_FOR_MS, random()), forMs: whole(5000, 20_000, random()) };
    faults.push({ ...when, type: "commits_fail", how: "unanswered" });
    faults.push({ atMs: when.atMs + whole(0, 5000, random()), forMs: 3000, type: "restart", consumer: 0 });
  }
  const together = faults.filter(() => random() < 0.25).map((fault) => inTheMidstOf(fault, random));
  const taken = Array.from({ length: random() < 0.15 ? 3 : 0 }, (): Fault => {
    const atMs = whole(0, random() < 0.5 ? 2000 : FAULTS_FOR_MS, random());
    return { atMs, forMs: 0, type: "take", partition: whole(0, 1, random()) };
  });
  return [...faults, ...together, ...taken].sort((a, b) => a.atMs - b.atMs);
}

/** Faults come together: while one lasts, somebody restarts something. */
function inTheMidstOf({ atMs, forMs }: Fault, random: () => number): Fault {
  const type = pick(["restart", "restart", "kill", "rebalance", "join"], random());
  const when = { atMs: atMs + whole(0, forMs, random()), forMs: whole(100, 10_000, random()) };
  return type === "restart" || type === "kill"
    ? { ...when, type, consumer: whole(0, 3, random()) }
    : { ...when, type };
}
