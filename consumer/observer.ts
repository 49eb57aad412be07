// Observer: looks at a consumer every second: how its records flow, which causes begin and end, and why it waits.

import { monotonicMs } from "../shared/clock.ts";
import type { Cause } from "../shared/http/health.ts";
import { outFor } from "../shared/pool/causes.ts";
import type { Replica } from "../shared/pool/replicas/replica.ts";
import { CauseLog } from "./cause_log.ts";
import type { MachineView } from "./core/view.ts";
import { oldestAgeMs } from "./core/scale.ts";
import { backlogOf, type ReplicaFacts } from "./core/why/facts.ts";
import { FlowHistory } from "./core/why/flow_history.ts";
import { why, type WhyJson } from "./core/why/why.ts";
import type { ReplicaStates } from "./page/memory/replica_states.ts";
import type { ObservedPool } from "./senders/sender.ts";

const LOOK_EVERY_MS = 1000;
/** So many looks apart the replicas of a paused pool are asked whether they are ready. */
const READY_EVERY = 2;

/** What is looked at. */
export interface ObserverPorts {
  readonly group: string;
  readonly causes: () => readonly Cause[];
  readonly view: () => MachineView;
  /** Records settled since the start, dead letters included. */
  readonly settled: () => number;
  readonly pool: ObservedPool;
  /** What the operator's page remembers of replicas. */
  readonly replicaStates: ReplicaStates;
  /** Called every few seconds: looks whether a trouble is over. */
  readonly lookForReady: () => Promise<void>;
  /** Time of day, in ms. */
  readonly dayMs: () => number;
}

/** Looks once a second after `start()`, until `close()`. */
export class Observer {
  readonly #ports: ObserverPorts;
  readonly #causeLog = new CauseLog();
  /** What arrived and was settled, over the last hour. */
  readonly history = new FlowHistory();
  #looks = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(ports: ObserverPorts) {
    this.#ports = ports;
  }

  start(): void {
    this.#timer ??= setInterval(() => this.#look(), LOOK_EVERY_MS);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** Why it waits, now. */
  why(): WhyJson {
    const { group, causes, view, pool, dayMs } = this.#ports;
    const [now, nowMs] = [view(), monotonicMs()];
    return why({
      nowMs,
      group,
      causes: causes(),
      view: now,
      oldestAgeMs: oldestAgeMs(now, dayMs()),
      rates: this.history.rates(),
      replicas: pool.replicas.map((replica) => factsOf(replica, nowMs)),
      provider: pool.provider && {
        restUntilMs: pool.provider.restUntilMs,
        ratePerSecond: pool.provider.ratePerSecond,
      },
    });
  }

  #look(): void {
    const { causes, view, settled, dayMs } = this.#ports;
    if (++this.#looks % READY_EVERY === 0) void this.#ports.lookForReady();
    const [now, atMs] = [view(), monotonicMs()];
    this.#causeLog.look(causes(), atMs);
    this.#ports.replicaStates.look(this.#ports.pool.replicas, atMs);
    this.history.record(
      { atMs, settled: settled(), backlog: backlogOf(now), oldestAgeMs: oldestAgeMs(now, dayMs()) },
      now.partitions.length,
    );
  }
}

function factsOf(replica: Replica, nowMs: number): ReplicaFacts {
  const { address, inFlight, latencyMs, complaints } = replica;
  return {
    address,
    inFlight,
    latencyMs,
    complaints,
    permits: replica.permits(nowMs),
    out: outFor(replica, nowMs),
  };
}
