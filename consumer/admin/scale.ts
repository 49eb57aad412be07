// `GET /scale`: the honest backlog and the replicas it calls for, for autoscalers.

import { type ScaleBounds, wantedReplicas } from "../core/scale.ts";

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

/** The part of a record that tells its age. */
interface Aged {
  /** In ms since the epoch. */
  readonly timestampMs: number;
}

/** The part of the machine's view that `/scale` reads. */
export interface ScaleView {
  readonly inFlight: number;
  readonly permits: number;
  readonly partitions: readonly {
    backlog(): number;
    readonly ledger: { first(): Aged | undefined };
  }[];
}

/** Reads it all at one moment. */
export function scaleOf(view: ScaleView, setup: ScaleSetup, nowMs: number): Scale {
  const backlog = view.partitions.reduce((sum, partition) => sum + partition.backlog(), 0);
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
export function oldestAgeMs({ partitions }: Pick<ScaleView, "partitions">, nowMs: number): number | null {
  const stamps = partitions.map(({ ledger }) => ledger.first()?.timestampMs ?? -1).filter((ms) => ms >= 0);
  return stamps.length === 0 ? null : Math.max(0, nowMs - Math.min(...stamps));
}
