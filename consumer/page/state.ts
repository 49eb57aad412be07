// PageState: what the page shows, as values. Programs get the same as JSON from /state.

import { outcomeLabel, problemText } from "../../shared/contract/outcome.ts";
import { outFor } from "../../shared/pool/causes.ts";
import type { Replica } from "../../shared/pool/replicas/replica.ts";
import type { HeadView, MachineView, PartitionView } from "../core/view.ts";
import type { FlowSample } from "../core/why/flow_history.ts";
import type { WhyJson } from "../core/why/why.ts";
import { recordPosition } from "../records/position.ts";
import type { FlowJson } from "../flow/flow_json.ts";
import type { ObservedPool } from "../senders/sender.ts";
import type { FlowMemory } from "./memory/flow_memory.ts";
import type { Percentiles } from "./memory/latencies.ts";
import type { SpentJson } from "./memory/time_spent.ts";
import { type Ribbon, ribbonOf } from "./ribbon.ts";

/** What it is read from. */
export interface PageSources {
  readonly why: () => WhyJson;
  /** The last hour, oldest first. */
  readonly samples: () => readonly FlowSample[];
  readonly view: () => MachineView;
  readonly pool: ObservedPool;
  readonly memory: FlowMemory;
  /** What operators paused and limited. */
  readonly flow: () => FlowJson;
  /** In ms since the epoch. */
  readonly nowMs: () => number;
}

/** The first screen. */
export interface NowState {
  readonly why: WhyJson;
  /** From the records' own timestamps to their being settled, in ms, over the last minute. */
  readonly latency: Percentiles;
  /** Where the last minute's records spent their time. */
  readonly spent: SpentJson;
}

/** The unsettled record that holds a watermark. */
export interface HeadState {
  /** `topic/partition/offset`. */
  readonly at: string;
  readonly state: string;
  readonly attempts: number;
  readonly attempts_counted: number;
  readonly age_ms: number | null;
  /** What the last attempt came to, and what was said then; null before the first. */
  readonly last: string | null;
  readonly said: string | null;
}

/** One partition. */
export interface PartitionState {
  /** `topic/partition`. */
  readonly id: string;
  readonly watermark: number;
  /** What the broker has confirmed; null while a commit is on its way. */
  readonly committed: number | null;
  /** One past the last offset of the log, as last seen. */
  readonly end: number;
  readonly backlog: number;
  readonly in_flight: number;
  /** Its offset map is full, so nothing new of it starts. */
  readonly map_full: boolean;
  /** An operator paused it, alone or with more. */
  readonly paused: boolean;
  readonly ribbon: Ribbon;
  readonly head: HeadState | null;
}

/** One replica. */
export interface ReplicaState {
  readonly address: string;
  readonly in_flight: number;
  /** Attempts that it takes at once now; 0 while it gets nothing. */
  readonly permits: number;
  readonly limit: number;
  /** Why the limit is what it is. */
  readonly limited_by: string;
  /** Geometric mean of the latest answers that settled, in ms; null before the first. */
  readonly latency_ms: number | null;
  /** Of the last half minute. */
  readonly attempts: number;
  readonly failures: number;
  /** Why it gets nothing new; null while it does. */
  readonly out: string | null;
  /** Since when it takes work, or does not, as ISO 8601; null where nobody looked yet. */
  readonly since: string | null;
  readonly last: string | null;
}

/** The pool. */
export interface PoolState {
  readonly in_flight: number;
  readonly permits: number;
  readonly replicas: readonly ReplicaState[];
  readonly provider: {
    /** Attempts at once that it bears; null where nothing is known to limit it. */
    readonly limit: number | null;
    readonly rate_per_second: number | null;
    /** For how long it wants to be left alone, in ms. */
    readonly rest_ms: number;
  } | null;
}

/** The body of `GET /state`. */
export interface PageState {
  /** ISO 8601. */
  readonly at: string;
  readonly now: NowState;
  readonly partitions: readonly PartitionState[];
  readonly pool: PoolState;
  readonly flow: FlowJson;
}

/** Everything at one moment. */
export function pageState(sources: PageSources): PageState {
  return {
    at: new Date(sources.nowMs()).toISOString(),
    now: nowState(sources),
    partitions: partitionsState(sources),
    pool: poolState(sources),
    flow: sources.flow(),
  };
}

/** See {@link NowState}. */
export function nowState({ why, memory, nowMs }: PageSources): NowState {
  const atMs = nowMs();
  return { why: why(), latency: memory.latencies.percentiles(atMs), spent: memory.spent.json(atMs) };
}

/** The one that is furthest behind first. */
export function partitionsState({ view, nowMs }: PageSources): readonly PartitionState[] {
  const atMs = nowMs();
  return view().partitions.map((each) => partitionState(each, atMs)).sort((a, b) => b.backlog - a.backlog);
}

/** See {@link PoolState}. */
export function poolState({ view, pool, memory, nowMs }: PageSources): PoolState {
  const { inFlight, permits } = view();
  const { provider } = pool;
  const atMs = nowMs();
  return {
    in_flight: inFlight,
    permits,
    replicas: pool.replicas.map((replica) =>
      replicaState(replica, memory.replicas.sinceMs(replica.address), atMs)
    ),
    provider: provider === undefined ? null : {
      limit: known(provider.limit),
      rate_per_second: known(provider.ratePerSecond),
      rest_ms: Math.max(0, provider.restUntilMs - atMs),
    },
  };
}

function partitionState(partition: PartitionView, nowMs: number): PartitionState {
  const { id, watermark, committed, end, backlog, inFlight, mapFull, held, head } = partition;
  return {
    id,
    watermark,
    committed: committed ?? null,
    end,
    backlog,
    in_flight: inFlight,
    map_full: mapFull,
    paused: held,
    ribbon: ribbonOf(partition),
    head: head === undefined ? null : headState(partition, head, nowMs),
  };
}

function headState(partition: PartitionView, head: HeadView, nowMs: number): HeadState {
  const { offset, state, attemptsSent, attemptsCounted, timestampMs, lastOutcome } = head;
  return {
    at: recordPosition({ ...partition, offset }),
    state,
    attempts: attemptsSent,
    attempts_counted: attemptsCounted,
    age_ms: timestampMs < 0 ? null : Math.max(0, nowMs - timestampMs),
    last: lastOutcome === undefined ? null : outcomeLabel(lastOutcome),
    said: lastOutcome === undefined ? null : problemText(lastOutcome) ?? null,
  };
}

function replicaState(replica: Replica, sinceMs: number | undefined, nowMs: number): ReplicaState {
  const { address, inFlight, latencyMs, last } = replica;
  const out = outFor(replica, nowMs) ?? null;
  const limit = replica.limit(nowMs);
  return {
    address,
    in_flight: inFlight,
    permits: replica.permits(nowMs),
    limit,
    limited_by: replica.limitedBy(nowMs),
    latency_ms: latencyMs === 0 ? null : Math.round(latencyMs),
    ...replica.failureCounts(nowMs),
    out,
    since: sinceMs === undefined ? null : new Date(sinceMs).toISOString(),
    last: last === undefined ? null : outcomeLabel(last),
  };
}

/** A limit of Infinity is none. */
function known(value: number | undefined): number | null {
  return value === undefined || !Number.isFinite(value) ? null : value;
}
