// Bad records and outages before the production machine and balancer, in virtual time: what of the good ones gets through.

import { MACHINE_CONFIG } from "../../support/machine_config.ts";
import type { Command, Event } from "../../../consumer/core/events.ts";
import type { Machine as ProductionMachine, MachineConfig } from "../../../consumer/core/machine.ts";
import type { Outcome } from "../../../shared/contract/outcome.ts";
import type { Balancer as ProductionBalancer } from "../../../shared/pool/replicas/balancer.ts";
import { chance, stream } from "../../simulation/random.ts";
import { Timeline } from "../../simulation/timeline.ts";

/** What is measured: the code as it is, or as it was. */
export interface MeasuredCore {
  readonly Machine: new (config: MachineConfig, random: () => number, nowMs: number) => ProductionMachine<
    LoadRecord
  >;
  readonly Balancer: new (limitMax: number, random: () => number) => ProductionBalancer;
}

/** One record, and what became of it. */
export interface LoadRecord {
  readonly id: number;
  readonly bad: boolean;
  readonly atMs: number;
  settledMs: number | undefined;
  deadLetteredMs: number | undefined;
  attempts: number;
  posts: number;
}

/** A time in which workers fail that would not otherwise. */
export interface Outage {
  readonly fromMs: number;
  readonly toMs: number;
  /** All attempts; half of the attempts by chance; all attempts of half of the records. */
  readonly hits: "all" | "half of attempts" | "half of records";
  /** 502 at once, or no answer within the time limit. */
  readonly hangs?: boolean;
}

/** What is played. */
export interface Load {
  readonly goodPerSecond: number;
  readonly badPerSecond: number;
  /** Bad records come so many at once. */
  readonly burst: number;
  readonly forMs: number;
  readonly partitions: number;
  readonly replicas: number;
  readonly concurrency: number;
  readonly seed: number;
  readonly outages?: readonly Outage[];
  /** What `/readyz` says: whether there is an outage, or always the same. */
  readonly readyz?: "honest" | "always yes" | "always no";
  readonly machine?: Partial<MachineConfig>;
}

/** What came of it. */
export interface Played {
  readonly good: number;
  readonly delivered: number;
  readonly deadLetters: number;
  readonly goodDeadLetters: number;
  /** Most attempts that counted against a good record. */
  readonly goodAttemptsMax: number;
  /** Share of the time that delivery was paused. */
  readonly paused: number;
  readonly pauses: number;
  /** From its arrival until a good record was settled, in ms. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly posts: number;
  readonly readinessChecks: number;
  /** Attempts counted against bad records, a bad record. */
  readonly badAttempts: number;
}

const TIMEOUT_MS = 10_000;
const FAILS_IN_MS = 5;

/** Plays a load. */
export function play(load: Load, core: MeasuredCore): Played {
  return new Play(load, core).run();
}

class Play {
  readonly #load: Load;
  readonly #timeline = new Timeline();
  readonly #machine: ProductionMachine<LoadRecord>;
  readonly #balancer: ProductionBalancer;
  readonly #records: LoadRecord[] = [];
  readonly #ends: number[];
  readonly #startMs: number;
  #permits = -1;
  #rests: number | undefined;
  #tickMs = Infinity;
  #pausedSinceMs: number | undefined;
  #pausedMs = 0;
  #pauses = 0;
  #checks = 0;
  readonly #events: Event<LoadRecord>[] = [];
  #feeding = false;

  constructor(load: Load, core: MeasuredCore) {
    this.#load = load;
    this.#startMs = this.#timeline.nowMs;
    this.#machine = new core.Machine(
      { ...MACHINE_CONFIG, ...load.machine },
      stream(load.seed),
      this.#startMs,
    );
    this.#balancer = new core.Balancer(load.concurrency, stream(load.seed + 1));
    this.#ends = Array.from({ length: load.partitions }, () => 0);
  }

  run(): Played {
    const { forMs, partitions, replicas } = this.#load;
    this.#balancer.setAddresses(
      Array.from({ length: replicas }, (_, each) => `http://${each}`),
      this.#startMs,
    );
    this.#tellPermits();
    this.#feed({
      type: "assigned",
      epoch: 1,
      partitions: Array.from({ length: partitions }, (_, partition) => ({
        topic: "t",
        partition,
        offset: 0,
        metadata: null,
      })),
    });
    this.#arrive(false, this.#load.goodPerSecond, 1);
    this.#arrive(true, this.#load.badPerSecond / this.#load.burst, this.#load.burst);
    const endMs = this.#startMs + forMs;
    while (this.#timeline.nextMs <= endMs) this.#timeline.step();
    if (this.#pausedSinceMs !== undefined) this.#pausedMs += endMs - this.#pausedSinceMs;
    return this.#summary();
  }

  #arrive(bad: boolean, perSecond: number, count: number): void {
    if (perSecond <= 0) return;
    const { seed, forMs } = this.#load;
    let atMs = this.#startMs;
    for (let each = 0;; each++) {
      const gap = 1000 / perSecond * (0.5 + chance(seed, bad ? 1 : 2, each));
      atMs += gap;
      if (atMs > this.#startMs + forMs) return;
      const whenMs = atMs;
      this.#timeline.at(whenMs, () => {
        for (let one = 0; one < count; one++) this.#produce(bad);
      });
    }
  }

  #produce(bad: boolean): void {
    const record: LoadRecord = {
      id: this.#records.length,
      bad,
      atMs: this.#timeline.nowMs,
      settledMs: undefined,
      deadLetteredMs: undefined,
      attempts: 0,
      posts: 0,
    };
    this.#records.push(record);
    const partition = Math.floor(chance(this.#load.seed, 3, record.id) * this.#load.partitions);
    const offset = this.#ends[partition] ?? 0;
    this.#ends[partition] = offset + 1;
    this.#feed({
      type: "received",
      epoch: 1,
      from: { topic: "t", partition },
      records: [{ offset, timestampMs: 0, bytes: 200, key: `k${record.id % 50}`, record }],
      position: offset + 1,
      highWatermark: offset + 1,
    });
  }

  #feed(event: Event<LoadRecord>): void {
    this.#events.push(event);
    if (this.#feeding) return;
    this.#feeding = true;
    for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) {
      for (const command of this.#machine.handle(next, this.#timeline.nowMs)) this.#carryOut(command);
    }
    this.#feeding = false;
    this.#schedule();
  }

  #schedule(): void {
    const { nowMs } = this.#timeline;
    const wakeMs = Math.max(nowMs, this.#machine.wakeAtMs(nowMs) ?? Infinity);
    if (wakeMs >= this.#tickMs) return;
    this.#tickMs = wakeMs;
    this.#timeline.at(wakeMs, () => {
      if (this.#tickMs !== wakeMs) return;
      this.#tickMs = Infinity;
      this.#feed({ type: "tick" });
    });
  }

  #carryOut(command: Command<LoadRecord>): void {
    switch (command.type) {
      case "send":
        return this.#send(command);
      case "commit": {
        const { id } = command.commit;
        return this.#timeline.after(5, () => this.#feed({ type: "commit_finished", id, ok: true }));
      }
      case "dead_letter": {
        const { delivery } = command;
        return this.#timeline.after(10, () => {
          delivery.record.deadLetteredMs = this.#timeline.nowMs;
          this.#feed({ type: "dead_letter_written", delivery, offset: 0 });
        });
      }
      case "check_readiness": {
        this.#checks += 1;
        return this.#timeline.after(5, () => this.#feed({ type: "readiness_checked", ready: this.#ready() }));
      }
      case "notice":
        return this.#noticed(command.notice);
      default:
        return;
    }
  }

  #noticed(notice: Extract<Command<LoadRecord>, { type: "notice" }>["notice"]): void {
    const { nowMs } = this.#timeline;
    if (notice.kind === "retrying" && notice.counted) notice.delivery.record.attempts += 1;
    if (notice.kind === "paused") {
      this.#pauses += 1;
      this.#pausedSinceMs ??= nowMs;
    }
    if (notice.kind === "resumed" && this.#pausedSinceMs !== undefined) {
      this.#pausedMs += nowMs - this.#pausedSinceMs;
      this.#pausedSinceMs = undefined;
    }
  }

  #send({ delivery }: Extract<Command<LoadRecord>, { type: "send" }>): void {
    const { nowMs } = this.#timeline;
    const { record } = delivery;
    record.posts += 1;
    const replica = this.#balancer.pick(nowMs) ?? this.#balancer.leastBusy();
    if (replica === undefined) {
      const outcome: Outcome = { kind: "refused", detail: "no replica" };
      return this.#timeline.after(1, () => this.#feed({ type: "attempt_finished", delivery, outcome }));
    }
    const sent = this.#balancer.start(replica, nowMs);
    const { tookMs, outcome } = this.#work(record);
    this.#timeline.after(tookMs, () => {
      const before = replica.ejected;
      this.#balancer.recordFinished(sent, outcome, this.#timeline.nowMs);
      if (replica.ejected && !before) this.#checkLater(replica, 500);
      this.#tellPermits();
      if (outcome.kind === "answer" && outcome.status === 200) record.settledMs ??= this.#timeline.nowMs;
      this.#feed({ type: "attempt_finished", delivery, outcome });
    });
  }

  #work(record: LoadRecord): { readonly tookMs: number; readonly outcome: Outcome } {
    const { seed } = this.#load;
    const outage = this.#outage();
    const roll = chance(seed, 4, record.id, record.posts);
    const hit = outage !== undefined && (outage.hits === "all" ||
      (outage.hits === "half of attempts" ? roll < 0.5 : chance(seed, 5, record.id) < 0.5));
    if (hit && outage.hangs) return { tookMs: TIMEOUT_MS, outcome: { kind: "timeout", detail: "" } };
    if (hit || record.bad) {
      return { tookMs: FAILS_IN_MS, outcome: { kind: "answer", status: 502 } };
    }
    return { tookMs: 100 + 150 * chance(seed, 6, record.id), outcome: { kind: "answer", status: 200 } };
  }

  #outage(): Outage | undefined {
    const atMs = this.#timeline.nowMs - this.#startMs;
    return this.#load.outages?.find(({ fromMs, toMs }) => atMs >= fromMs && atMs < toMs);
  }

  #ready(): boolean {
    switch (this.#load.readyz ?? "honest") {
      case "honest":
        return this.#outage() === undefined;
      case "always yes":
        return true;
      case "always no":
        return false;
    }
  }

  #checkLater(replica: { readmit(): void }, waitMs: number): void {
    this.#timeline.after(waitMs, () => {
      if (!this.#ready()) return this.#checkLater(replica, Math.min(5000, waitMs * 2));
      replica.readmit();
      this.#tellPermits();
    });
  }

  #tellPermits(): void {
    const { nowMs } = this.#timeline;
    const permits = this.#balancer.permits(nowMs);
    const nextMs = this.#balancer.nextChangeMs(nowMs);
    if (nextMs !== undefined && nextMs !== this.#rests) {
      this.#rests = nextMs;
      this.#timeline.at(nextMs, () => this.#tellPermits());
    }
    if (permits === this.#permits) return;
    this.#permits = permits;
    this.#feed({ type: "permits_changed", permits });
  }

  #summary(): Played {
    const good = this.#records.filter(({ bad }) => !bad);
    const bad = this.#records.filter(({ bad }) => bad);
    const delivered = good.filter(({ settledMs }) => settledMs !== undefined);
    const took = delivered.map(({ atMs, settledMs = 0 }) => settledMs - atMs).sort((a, b) => a - b);
    const at = (share: number) => Math.round(took[Math.floor(took.length * share)] ?? NaN);
    return {
      good: good.length,
      delivered: delivered.length,
      deadLetters: this.#records.filter(({ deadLetteredMs }) => deadLetteredMs !== undefined).length,
      goodDeadLetters: good.filter(({ deadLetteredMs }) => deadLetteredMs !== undefined).length,
      goodAttemptsMax: good.reduce((most, { attempts }) => Math.max(most, attempts), 0),
      paused: this.#pausedMs / this.#load.forMs,
      pauses: this.#pauses,
      p50Ms: at(0.5),
      p99Ms: at(0.99),
      posts: this.#records.reduce((sum, { posts }) => sum + posts, 0),
      readinessChecks: this.#checks,
      badAttempts: bad.reduce((sum, { attempts }) => sum + attempts, 0) / Math.max(1, bad.length),
    };
  }
}
