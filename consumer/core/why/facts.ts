// WhyFacts: what is known of a consumer at one moment, as plain values: what `why` computes its answer from.

import type { Cause } from "../../../shared/http/health.ts";
import type { MachineView } from "../view.ts";
import type { FlowRates } from "./flow_history.ts";

/** One replica. */
export interface ReplicaFacts {
  readonly address: string;
  /** Attempts that it takes at once now; 0 while it gets nothing. */
  readonly permits: number;
  readonly inFlight: number;
  /** Average time of an answer that settled, in ms; 0 without any. */
  readonly latencyMs: number;
  /** Why it gets nothing new; undefined while it does. */
  readonly out: string | undefined;
  /** What its `/readyz` says is wrong; empty while it is ready, or where it was not asked. */
  readonly complaints: readonly Omit<Cause, "sinceMs">[];
}

/** What the provider behind all replicas lets through, as far as that is known. */
export interface ProviderFacts {
  /** Until when it wants to be left alone, in ms; in the past where it does not. */
  readonly restUntilMs: number;
  readonly ratePerSecond: number | undefined;
}

/** Everything that is known. Times in ms of the monotonic clock. */
export interface WhyFacts {
  readonly nowMs: number;
  readonly group: string;
  /** Whatever holds delivery up, from all parts. */
  readonly causes: readonly Cause[];
  readonly view: MachineView;
  /** Age of the oldest record that is not settled, in ms; null where there is none. */
  readonly oldestAgeMs: number | null;
  /** Undefined before there were two looks. */
  readonly rates: FlowRates | undefined;
  readonly replicas: readonly ReplicaFacts[];
  readonly provider: ProviderFacts | undefined;
}

/** Records received or waiting that are not settled. */
export function backlogOf({ partitions }: Pick<MachineView, "partitions">): number {
  return partitions.reduce((sum, { backlog }) => sum + backlog, 0);
}
