// The invariants, as far as one consumer can break them, checked against everything the consumer does.

import type { Commit } from "../../consumer/core/commits.ts";
import type { Delivery } from "../../consumer/core/delivery.ts";
import type { MachineView } from "../../consumer/core/machine.ts";
import { decodeOffsetMap } from "../../consumer/core/offsets/offset_map.ts";
import { ruleFor } from "../../shared/contract/status_contract.ts";
import type { Outcome } from "../../shared/contract/outcome.ts";
import { VERDICT } from "../../consumer/core/policies/health_window.ts";
import { type Broker, covers } from "./broker.ts";
import type { Flow } from "../../consumer/core/policies/flow.ts";
import { LimitWatch } from "./limit_watch.ts";
import { expect } from "./violation.ts";
import type { SimRecord, World } from "./world.ts";

/** A partition as its owner has it. */
export interface Owned {
  readonly partition: number;
  readonly epoch: number;
  /** The offset it began at. What `fast` lost below that, another owner lost. */
  readonly from: number;
  /** Which life of the topic it is about. */
  readonly life: number;
  position: number;
  paused: boolean;
  fetching: boolean;
  /** What this owner settled and has not seen below a commit's offset yet, with the time, in ms. */
  readonly settled: Map<SimRecord, number>;
}

type Sent = Delivery<SimRecord>;

/** POSTs of one record in one second that are a loop and no retry. */
const SPINNING = 30;
/**
 * Good records that a bad deploy with a well `/readyz` may cost a consumer: fewer than the verdict needs. What it takes
 * over comes with its last owner's counts, so every rebalance may cost as many again.
 */
const BAD_DEPLOY_COSTS = 4;
/** Attempts that a record may lose before it is seen that many fail. */
const HALF_OUTAGE_COSTS = 3;
const DENIED_COSTS = 5;
/** Records in the verdict's window that are many. */
const BUSY = 60;

/** Watches one consumer process. */
export class Watch {
  readonly #world: World;
  readonly #broker: Broker;
  readonly #owned: ReadonlyMap<number, Owned>;
  readonly #out: Set<Sent> = new Set();
  /** Those on their way that had failed before. */
  readonly #suspects: Set<Sent> = new Set();
  readonly #lanesOut: Set<string> = new Set();
  readonly #unconfirmed: Set<SimRecord> = new Set();
  readonly #covers: Map<number, readonly SimRecord[]> = new Map();
  readonly #posts: Map<SimRecord, { sinceMs: number; count: number }> = new Map();
  readonly #countedInOutage: Map<Sent, object> = new Map();
  readonly #countedInHalves: Map<Sent, { readonly outage: object; readonly counted: number }> = new Map();
  readonly #paid: Set<Sent> = new Set();
  readonly #startedMs: number;
  readonly #holds: boolean;
  readonly #parks: boolean;
  readonly #tried: WeakSet<Sent> = new WeakSet();
  #successes = 0;
  #paused = false;
  readonly #limits: LimitWatch;
  permits = 0;

  constructor(world: World, broker: Broker, owned: ReadonlyMap<number, Owned>) {
    this.#world = world;
    this.#broker = broker;
    this.#owned = owned;
    this.#startedMs = world.timeline.nowMs;
    this.#limits = new LimitWatch(world, owned);
    world.processes += 1;
    const { mode, commits } = world.scenario.machine;
    this.#parks = world.scenario.machine.parkKeys;
    this.#holds = commits === "sync" && mode !== "batch" && mode !== "fast";
  }

  /** The consumer has been told what operators hold and limit. */
  told(flow: Flow): void {
    this.#limits.told(flow);
  }

  sent(delivery: Sent): void {
    const { record } = delivery;
    this.#out.add(delivery);
    if (delivery.hasFailed) {
      this.#suspects.add(delivery);
      const most = Math.max(1, Math.floor(this.permits / 2));
      // What an earlier owner tried begins as a new record here.
      const few = this.#paused || !this.#tried.has(delivery) || this.#suspects.size <= most;
      expect(few, "retries leave permits for new records", () => `${this.#suspects.size} of ${this.permits}`);
    }
    this.#tried.add(delivery);
    const held = this.#out.size + this.#unconfirmed.size;
    expect(held <= this.permits, "in flight never exceeds permits", () => `${held} of ${this.permits}`);
    this.#limits.sent(record, held);
    const before = this.#world.unsettledBefore(record);
    expect(before === undefined, "order holds", () => `${name(record)} before ${before && name(before)}`);
    if (this.#parks) {
      const earlier = this.#world.unfreedBefore(record);
      expect(
        earlier === undefined,
        "a key's records wait for its dead letters",
        () => `${name(record)} before ${earlier && name(earlier)}`,
      );
    }
    const lane = this.#world.laneOf(record.plan);
    if (lane !== undefined) {
      expect(!this.#lanesOut.has(lane), "one of a lane is in flight", () => name(record));
      this.#lanesOut.add(lane);
    }
    this.#spin(record);
  }

  ended(delivery: Sent, outcome: Outcome): void {
    this.#out.delete(delivery);
    this.#suspects.delete(delivery);
    const lane = this.#world.laneOf(delivery.record.plan);
    if (lane !== undefined) this.#lanesOut.delete(lane);
    if (ruleFor(outcome).disposition !== "settle") return;
    this.#successes += 1;
  }

  settled(delivery: Sent): void {
    const { record, partition } = delivery;
    expect(record.settled, "settled is what was settled", () => name(record));
    const owned = this.#owned.get(record.partition);
    expect(owned?.epoch === partition.epoch, "results of an old epoch go nowhere", () => name(record));
    expect(!owned?.settled.has(record), "settled once", () => name(record));
    owned?.settled.set(record, this.#world.timeline.nowMs);
    if (this.#holds && delivery.reason === undefined && delivery.sentMs !== undefined) {
      this.#unconfirmed.add(record);
    }
  }

  counted(delivery: Sent): void {
    const { maxAttempts } = this.#world.scenario.machine;
    expect(
      delivery.attemptsCounted <= maxAttempts,
      "attempts stay below the maximum",
      () => name(delivery.record),
    );
    this.#countedInHalf(delivery);
    const outage = this.#world.active("outage");
    if (outage === undefined) return;
    // The first failure may be judged by what was well a moment ago; a second one must not.
    const again = this.#countedInOutage.get(delivery) === outage;
    expect(
      !again,
      "an outage consumes no attempts",
      () => `${name(delivery.record)}: ${delivery.attemptsCounted}`,
    );
    this.#countedInOutage.set(delivery, outage);
  }

  /** Where only half fails it may take a moment to be seen; then time bounds what a record loses. */
  #countedInHalf(delivery: Sent): void {
    const outage = this.#world.active("half_outage");
    // Nobody can tell who is at fault where `/readyz` denies the outage and there are hardly any others.
    const alone = this.#world.producedWithin(VERDICT.windowMs) < BUSY;
    if (outage === undefined || (outage.denied && alone)) return;
    const seen = this.#countedInHalves.get(delivery);
    const counted = seen?.outage === outage ? seen.counted + 1 : 1;
    this.#countedInHalves.set(delivery, { outage, counted });
    const most = outage.denied
      ? DENIED_COSTS + Math.floor(outage.forMs / VERDICT.slowCountMs)
      : HALF_OUTAGE_COSTS;
    expect(
      counted <= most,
      "an outage of a half consumes few attempts",
      () => `${name(delivery.record)}: ${counted} of ${most}`,
    );
  }

  deadLettering(delivery: Sent): void {
    const { record, reason, attemptsCounted, parkedBehind } = delivery;
    expect(!delivery.partition.revoked, "nothing revoked is dead-lettered", () => name(record));
    if (reason === "parked") {
      const firsts = this.#world.atOrigin(parkedBehind?.place ?? "");
      const follows = firsts.some((first) =>
        first.plan.key === record.plan.key && first.offset < record.root.offset
      );
      return expect(
        follows,
        "parked is what follows a letter",
        () => `${name(record)} behind ${parkedBehind?.place}`,
      );
    }
    const { kind } = record.plan.behaviour;
    const { machine: { deadLetters, maxAttempts }, faults } = this.#world.scenario;
    const exhausted = reason === "attempts-exhausted" || reason === "ticket-not-found";
    expect(
      !exhausted || attemptsCounted === maxAttempts,
      "attempts are used up first",
      () => `${attemptsCounted}`,
    );
    const bad = ["poison", "rejected", "asked", "missing"].includes(kind);
    expect(reason !== "operator" || record.takenOut, "an operator asked for it", () => name(record));
    if (record.takenOut) return;
    if (this.#paid.has(delivery)) return;
    this.#paid.add(delivery);
    if (!bad) this.#world.goodDeadLetters.add(record);
    const deploys = faults.filter((fault) => fault.type === "bad_deploy").length;
    expect(
      this.#world.goodDeadLetters.size <=
        BAD_DEPLOY_COSTS * deploys * (this.#world.processes + this.#broker.generation),
      "only bad records are dead-lettered",
      () => `${name(record)} is ${kind}: ${reason}`,
    );
    const earned = deadLetters.share * this.#successes +
      (this.#world.timeline.nowMs - this.#startedMs) / 10_000;
    const tokens = deadLetters.burst + earned + 1e-3;
    expect(this.#paid.size <= tokens, "dead letters are paid for", () => `${this.#paid.size} of ${tokens}`);
  }

  committing(commit: Commit<SimRecord>, leaving: boolean): void {
    const covered: SimRecord[] = [];
    for (const { partition: { partition, epoch }, mark } of commit.marks) {
      const owned = this.#owned.get(partition);
      expect(owned?.epoch === epoch, "nothing revoked is committed", () => `${partition}@${mark.offset}`);
      if (owned === undefined) continue;
      const said = () => `${partition}@${mark.offset}, position ${owned.position}`;
      expect(mark.offset <= owned.position, "only what was received is committed", said);
      if (this.#world.scenario.machine.mode === "fast" && !leaving) continue;
      // Its topic was made anew, which it has not noticed yet.
      if (owned.life !== this.#world.logs[partition]?.life) continue;
      const first = this.#world.logs[partition]?.firstUnsettled(owned.from);
      expect(
        first === undefined || mark.offset <= first.offset,
        "only settled records are committed",
        () => `${said()}, but ${first && name(first)} is not settled`,
      );
      this.#map(partition, mark, owned);
      for (const record of owned.settled.keys()) {
        const known = covers(mark, record.offset);
        expect(known, "a commit says all that is settled", () => `${said()} leaves out ${name(record)}`);
        if (record.offset < mark.offset && this.#broker.covers(record)) owned.settled.delete(record);
      }
    }
    for (const record of this.#unconfirmed) {
      const line = commit.marks.find(({ partition: { partition } }) => partition === record.partition);
      if (line === undefined) continue;
      if (covers(line.mark, record.offset)) covered.push(record);
    }
    this.#covers.set(commit.id, covered);
  }

  /** @param refused partitions whose lines were not taken though the others were. */
  commitFinished(id: number, ok: boolean, refused: readonly number[] = []): void {
    for (const record of ok ? this.#covers.get(id) ?? [] : []) {
      if (!refused.includes(record.partition)) this.#unconfirmed.delete(record);
    }
    this.#covers.delete(id);
  }

  revoked(partition: number): void {
    for (const record of this.#unconfirmed) {
      if (record.partition === partition) this.#unconfirmed.delete(record);
    }
  }

  /** After every event. */
  handled(view: MachineView): void {
    const { mode } = this.#world.scenario.machine;
    const { inFlight, pause, stopping } = view;
    this.#paused = pause !== undefined;
    const held = this.#out.size + this.#unconfirmed.size;
    const exact = this.#holds || inFlight === this.#out.size;
    expect(inFlight >= held && exact, "permits are counted right", () => `${inFlight}, really ${held}`);
    if (inFlight >= this.#limits.most(this.permits) || pause !== undefined || stopping) return;
    if (this.#limits.hasRate) return;
    if (mode === "batch") return;
    // In ordered modes a partition that came back waits for its own old attempts.
    const lingers = [...this.#out].some(({ partition }) => partition.revoked);
    if (lingers && (mode === "key" || mode === "partition")) return;
    const failed = [...this.#out].filter((delivery) => this.#suspects.has(delivery)).length;
    // One that is settled and waits for its commit has a permit all the same.
    const room = !this.#holds && failed < Math.max(1, Math.floor(this.#limits.most(this.permits) / 2));
    for (const { ready, suspects, id, parkingKnown } of view.partitions) {
      // Before the dead-letter topic was read nothing of a partition may leave.
      if (this.#parks && !parkingKnown) continue;
      expect(ready === 0, "no permit idles", () => `${id} has ${ready} ready`);
      expect(suspects === 0 || !room, "retries use half of the permits", () => `${id} has ${suspects}`);
    }
  }

  /** A clean stop: the next owner must not get again what we settled. */
  stopped(): void {
    expect(this.#out.size === 0, "a clean stop waits for what is in flight", () => `${this.#out.size} out`);
    for (const { partition, from, settled, life } of this.#owned.values()) {
      if (life !== this.#world.logs[partition]?.life) continue;
      for (const record of settled.keys()) {
        expect(this.#broker.covers(record), "a clean stop redelivers nothing", () => name(record));
      }
      const first = this.#world.logs[partition]?.firstUnsettled(from);
      const { offset } = this.#broker.committed(partition);
      expect(
        first === undefined || offset <= first.offset,
        "a clean stop loses nothing",
        () => `${partition}@${offset}`,
      );
    }
  }

  /** At a crash: what was settled before the last commit was due is in that commit. */
  crashed(): void {
    const { machine: { mode, commitIntervalMs, commits } } = this.#world.scenario;
    if (mode === "batch" || mode === "fast") return;
    const each = commits === "sync" || mode === "partition";
    const sinceMs = this.#world.timeline.nowMs - (each ? 0 : commitIntervalMs) - 1000;
    for (const { settled } of this.#owned.values()) {
      for (const [record, atMs] of settled) {
        const known = atMs >= sinceMs || record.gone || this.#broker.covers(record);
        expect(known, "a crash redelivers only the latest", () => `${name(record)} settled at ${atMs}`);
      }
    }
  }

  #map(partition: number, mark: { offset: number; metadata: string }, { position }: Owned): void {
    const decoded = decodeOffsetMap(mark.metadata, mark.offset);
    const said = () => `${partition}@${mark.offset}: ${JSON.stringify(decoded)}`;
    expect(decoded.kind !== "untrusted", "the map can be read back", said);
    if (decoded.kind !== "map") return;
    const log = this.#world.logs[partition];
    for (const [first, last] of decoded.map.settled) {
      expect(first > mark.offset && last < position, "the map speaks of what was received", said);
      for (let at = log?.indexOf(first) ?? 0; (log?.records[at]?.offset ?? Infinity) <= last; at++) {
        const record = log?.records[at];
        expect(record?.settled === true, "the map names only what is settled", said);
      }
    }
    const { maxAttempts } = this.#world.scenario.machine;
    for (const attempts of decoded.map.attempts.values()) {
      expect(attempts > 0 && attempts <= maxAttempts, "the map's attempts are real", said);
    }
  }

  #spin(record: SimRecord): void {
    const nowMs = this.#world.timeline.nowMs;
    const seen = this.#posts.get(record);
    const current = seen === undefined || nowMs - seen.sinceMs > 1000 ? { sinceMs: nowMs, count: 0 } : seen;
    current.count += 1;
    this.#posts.set(record, current);
    expect(
      current.count <= SPINNING,
      "nothing spins",
      () => `${name(record)} ${current.count} times a second`,
    );
  }
}

function name({ partition, offset }: SimRecord): string {
  return `${partition}@${offset}`;
}
