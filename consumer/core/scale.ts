// Scale: the honest backlog and how many worker replicas it calls for. Pure: what was measured comes in as an argument.

import type { MachineView } from "./view.ts";

/** What there is to do, and how fast it goes. */
export interface Load {
  /** Records received or waiting that are not settled. */
  readonly backlog: number;
  /** Time that a settled record holds a permit, in ms; undefined before the first one. */
  readonly permitMs: number | undefined;
  /** Attempts that one replica takes at once. */
  readonly permitsPerReplica: number;
}

/** What `WORKER_MIN`, `WORKER_MAX` and `TARGET_DRAIN_SECONDS` say. */
export interface ScaleBounds {
  readonly min: number;
  readonly max: number;
  /** Time in which the wanted replicas would clear the backlog, in ms. */
  readonly targetDrainMs: number;
}

/** What a record is taken to cost before one was measured, in ms: a call of an LLM. */
export const PERMIT_MS_ASSUMED = 2000;

/** How much of the average the newest record is, once there are enough of them. */
const NEWEST_SHARE = 0.05;

/**
 * Replicas that would clear the backlog in time: never none while there is a backlog, and none that would find every
 * record on its way already.
 */
export function wantedReplicas(load: Load, { min, max, targetDrainMs }: ScaleBounds): number {
  const { backlog, permitsPerReplica } = load;
  const permitMs = load.permitMs ?? PERMIT_MS_ASSUMED;
  const inTime = Math.ceil((backlog * permitMs) / (targetDrainMs * permitsPerReplica));
  const busy = Math.ceil(backlog / permitsPerReplica);
  const needed = backlog > 0 ? Math.max(1, Math.min(inTime, busy)) : 0;
  return Math.min(max, Math.max(min, needed));
}

/** Average time that a settled record holds a permit. Failed attempts are left out: an outage is not slow work. */
export class Pace {
  #permitMs: number | undefined;
  #count = 0;

  /** In ms; undefined before the first settled record. */
  get permitMs(): number | undefined {
    return this.#permitMs;
  }

  /** A record was settled by an attempt that took so long. */
  recordSettled(tookMs: number): void {
    this.#count += 1;
    const before = this.#permitMs ?? tookMs;
    this.#permitMs = before + (tookMs - before) * Math.max(1 / this.#count, NEWEST_SHARE);
  }
}

/** The body of `/scale`. A group of several consumers asks each of them and adds up. */
export interface Scale {
  /** Records of this consumer's partitions, received or waiting, that are not settled. */
  readonly backlog: number;
  /** Age of the oldest unsettled record, in ms; null where there is none, or none was received yet. */
  readonly oldestAgeMs: number | null;
  /** Attempts in flight. */
  readonly busyPermits: number;
  /** Attempts that may be in flight at once. */
  readonly permits: number;
  /** Replicas that take work. */
  readonly replicas: number;
  /** Replicas that would clear the backlog in `TARGET_DRAIN_SECONDS`. */
  readonly wantedReplicas: number;
}

/** What was measured, and what the environment says. */
export interface ScaleSetup {
  readonly bounds: ScaleBounds;
  /** Attempts that one replica takes at once. */
  readonly permitsPerReplica: number;
  /** Time that a settled record holds a permit, in ms. */
  readonly permitMs: number | undefined;
  readonly replicas: number;
}

/** Reads it all at one moment. */
export function scaleOf(
  view: Pick<MachineView, "inFlight" | "permits" | "partitions">,
  setup: ScaleSetup,
  nowMs: number,
): Scale {
  const backlog = view.partitions.reduce((sum, partition) => sum + partition.backlog, 0);
  return {
    backlog,
    oldestAgeMs: oldestAgeMs(view, nowMs),
    busyPermits: view.inFlight,
    permits: view.permits,
    replicas: setup.replicas,
    wantedReplicas: wantedReplicas({ ...setup, backlog }, setup.bounds),
  };
}

/** A partition's oldest record is the one that holds its watermark. Kafka writes -1 where there is no timestamp. */
export function oldestAgeMs({ partitions }: Pick<MachineView, "partitions">, nowMs: number): number | null {
  const stamps = partitions.map(({ head }) => head?.timestampMs ?? -1).filter((ms) => ms >= 0);
  return stamps.length === 0 ? null : Math.max(0, nowMs - Math.min(...stamps));
}
