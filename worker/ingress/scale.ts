// `GET /scale`: calls that wait or run and the replicas they need, so that calls can start a pool at zero.

/** The body of `/scale`. Of several ingresses each speaks for its own calls: add them up. */
export interface IngressScale {
  /** Calls that wait for a permit or a replica. */
  readonly waiting: number;
  /** Calls on their way. */
  readonly inFlight: number;
  /** How long the first of those that wait has waited, in ms; null where none does. */
  readonly oldestWaitMs: number | null;
  /** Since the last call came or ended, in ms; 0 while there are any, null before the first. */
  readonly idleMs: number | null;
  /** Replicas that take calls. */
  readonly replicas: number;
  /** Replicas for all of them at once, and one for as long as the last call is not `WORKER_IDLE_MS` ago. */
  readonly wantedReplicas: number;
}

/** What is so now. */
export interface IngressLoad {
  readonly waiting: number;
  readonly inFlight: number;
  readonly oldestWaitMs: number | null;
  readonly idleMs: number | null;
  readonly replicas: number;
}

/** What the environment says. */
export interface IngressScaling {
  /** Calls that one replica takes at once. */
  readonly permitsPerReplica: number;
  readonly replicasMax: number;
  /** How long a replica is kept for the next call, in ms. */
  readonly idleMs: number;
}

/** See {@link IngressScale}. Calls are seconds long and looked at now and then: the idle time makes them seen. */
export function ingressScaleOf(load: IngressLoad, scaling: IngressScaling): IngressScale {
  const calls = load.waiting + load.inFlight;
  const kept = load.idleMs !== null && load.idleMs < scaling.idleMs ? 1 : 0;
  const wanted = Math.max(kept, Math.ceil(calls / scaling.permitsPerReplica));
  return { ...load, wantedReplicas: Math.min(scaling.replicasMax, wanted) };
}
