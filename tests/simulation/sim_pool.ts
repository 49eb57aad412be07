// The pool as one consumer has it: permits, which replica an attempt goes to, and health checks of those ejected.

import type { Outcome } from "../../shared/contract/outcome.ts";
import type { AttemptInFlight } from "../../shared/pool/attempt_in_flight.ts";
import type { Balancer as ProductionBalancer } from "../../shared/pool/replicas/balancer.ts";
import type { Replica } from "../../shared/pool/replicas/replica.ts";
import { chance } from "./random.ts";
import type { SimRecord, World } from "./world.ts";
import type { Workers } from "./workers.ts";

/** Makes balancers: the production one, or one with a planted defect. */
export type BalancerClass = new (limitMax: number, random: () => number) => ProductionBalancer;

/** One consumer's pool. */
export class SimPool {
  readonly #world: World;
  readonly #workers: Workers;
  readonly #balancer: ProductionBalancer | undefined;
  readonly #changed: (permits: number) => void;
  #there = 0;
  #permits = -1;
  #restsUntilMs = 0;
  #gone = false;

  constructor(
    world: World,
    workers: Workers,
    balancerClass: BalancerClass,
    random: () => number,
    changed: (permits: number) => void,
  ) {
    this.#world = world;
    this.#workers = workers;
    this.#changed = changed;
    const { balanced, concurrency } = world.scenario;
    this.#balancer = balanced ? new balancerClass(concurrency, random) : undefined;
    this.refresh();
  }

  /** Looks again which replicas there are. */
  refresh(): void {
    const { replicas } = this.#world.scenario;
    const there = this.#world.active("no_replica") === undefined ? replicas : 0;
    this.#balancer?.setAddresses(
      Array.from({ length: there }, (_, index) => String(index)),
      this.#world.timeline.nowMs,
    );
    this.#there = there;
    this.#notify();
  }

  /** The consumer is gone; its attempts are not. */
  close(): void {
    this.#gone = true;
  }

  /** One attempt; `done` is called with its outcome, after the permits have changed. */
  send(record: SimRecord, done: (outcome: Outcome) => void): void {
    const { timeline, scenario } = this.#world;
    const replica = this.#pick();
    if (this.#balancer !== undefined && replica === undefined) {
      return timeline.after(1, () => done({ kind: "refused", detail: "no replica" }));
    }
    const sent = replica && this.#balancer?.start(replica, timeline.nowMs);
    const index = replica === undefined
      ? Math.floor(chance(scenario.seed, 31, record.id, record.posts) * scenario.replicas)
      : Number(replica.address);
    const { durationMs, finish } = this.#workers.start(record, index);
    timeline.after(durationMs, () => {
      const outcome = finish();
      if (this.#gone) return;
      if (sent !== undefined) this.#finished(sent, outcome);
      done(outcome);
    });
  }

  #pick(): Replica | undefined {
    const nowMs = this.#world.timeline.nowMs;
    return this.#balancer?.pick(nowMs) ?? this.#balancer?.leastBusy();
  }

  #finished(sent: AttemptInFlight, outcome: Outcome): void {
    const { replica } = sent;
    const before = replica.ejected;
    this.#balancer?.recordFinished(sent, outcome, this.#world.timeline.nowMs);
    if (replica.ejected && !before) this.#check(replica, 500);
    this.#notify();
  }

  #check(replica: Replica, waitMs: number): void {
    this.#world.timeline.after(waitMs, () => {
      if (this.#gone) return;
      const ready = this.#world.isReady() && this.#world.isUp(Number(replica.address));
      if (!ready) return this.#check(replica, Math.min(5000, waitMs * 2));
      replica.readmit();
      this.#notify();
    });
  }

  #notify(): void {
    const { timeline, scenario } = this.#world;
    if (this.#gone) return;
    const nowMs = timeline.nowMs;
    const permits = this.#balancer?.permits(nowMs) ?? this.#there * scenario.concurrency;
    this.#rest(nowMs);
    if (permits === this.#permits) return;
    this.#permits = permits;
    this.#changed(permits);
  }

  #rest(nowMs: number): void {
    const untilMs = this.#balancer?.nextChangeMs(nowMs);
    if (untilMs === undefined || untilMs === this.#restsUntilMs) return;
    this.#restsUntilMs = untilMs;
    this.#world.timeline.at(untilMs, () => this.#notify());
  }
}
