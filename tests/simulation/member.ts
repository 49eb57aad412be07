// One consumer process: the production machine, with a model of everything the real process puts around it.

import type { Delivery } from "../../consumer/core/delivery.ts";
import type { Assigned, Command, Event, Notice } from "../../consumer/core/events.ts";
import type { Machine as ProductionMachine } from "../../consumer/core/machine.ts";
import { type Outcome, outcomeLabel } from "../../shared/contract/outcome.ts";
import { ruleFor } from "../../shared/contract/status_contract.ts";
import type { Fault } from "./scenario.ts";
import { chance, stream } from "./random.ts";
import { SimLetters } from "./sim_letters.ts";
import { SimPool } from "./sim_pool.ts";
import { SimSource } from "./sim_source.ts";
import type { Process, Surroundings } from "./surroundings.ts";
import { expect } from "./violation.ts";
import { type Owned, Watch } from "./watch.ts";
import type { SimRecord } from "./world.ts";

/** Faults in which commits are refused for long. */
const UNCOMMITTED: readonly Fault["type"][] = ["commits_fail", "leaderless", "half_join"];

/** One process, from its start to its end. */
export class Member implements Process {
  readonly #in: Surroundings;
  readonly incarnation: number;
  readonly #machine: ProductionMachine<SimRecord>;
  readonly #watch: Watch;
  readonly #source: SimSource;
  readonly #letters: SimLetters;
  readonly #pool: SimPool | undefined;
  readonly #events: Event<SimRecord>[] = [];
  #feeding = false;
  #rolls = 0;
  #tickMs = Infinity;
  #idleTicks = 0;
  #stopByMs: number | undefined;
  alive = true;
  /** Times the machine asked to be woken. */
  ticks = 0;

  constructor(surroundings: Surroundings, incarnation: number) {
    this.#in = surroundings;
    this.incarnation = incarnation;
    const { core, world, broker, workers } = surroundings;
    const { seed, machine } = world.scenario;
    const owned = new Map<number, Owned>();
    this.#machine = new core.Machine(machine, stream(seed * 31 + incarnation), world.timeline.nowMs);
    this.#watch = new Watch(world, broker, owned);
    this.#letters = new SimLetters(surroundings, this);
    this.#source = new SimSource(surroundings, this, this.#watch, owned);
    let permits = 0;
    const pool = new SimPool(world, workers, core.Balancer, stream(seed * 37 + incarnation), (changed) => {
      permits = changed;
      // The pool may call before there is a machine.
      if (this.#pool !== undefined) this.feed({ type: "permits_changed", permits });
    });
    this.#pool = pool;
    this.feed({ type: "permits_changed", permits });
    // What operators set is known before the first record comes.
    this.hearFlow();
    broker.join(this.#source);
  }

  /** Hears what operators hold and limit. */
  hearFlow(): void {
    if (!this.alive) return;
    const { flow } = this.#in.world;
    this.#watch.told(flow);
    this.feed({ type: "flow_changed", flow });
  }

  /** Does not hear what the next join gives it. */
  missJoin(): void {
    this.#source.missJoin();
  }

  /** Its topic was made anew, which it notices after a while. */
  noticeAnew(): void {
    if (this.alive) this.#source.noticeAnew();
  }

  /** Is without the group for so long, in ms. */
  leaveFor(ms: number): void {
    if (this.alive && this.#stopByMs === undefined) this.#source.leaveFor(ms);
  }

  /** The member id in the group. */
  get memberId(): string {
    return this.#source.memberId;
  }

  /** The machine's in flight, for the end of a run. */
  get inFlight(): number {
    return this.#machine.view.inFlight;
  }

  /** Records received and not settled: nothing of `fast` may be left at the end. */
  get backlog(): number {
    return this.#machine.view.partitions.reduce((sum, partition) => sum + partition.backlog, 0);
  }

  /** A member in good standing, with nothing going on. */
  get settledIn(): boolean {
    return this.#source.settledIn;
  }

  /** Keys that are parked or wait for replays. */
  get parkedKeys(): number {
    return this.#machine.view.partitions.reduce((sum, { parkedKeyCount }) => sum + parkedKeyCount, 0);
  }

  /** There are new records. */
  wake(): void {
    this.#source.wake();
  }

  /** Replicas came or went. */
  lookUp(): void {
    if (this.alive) this.#pool?.refresh();
  }

  /** An operator takes the record out that holds a partition's watermark. */
  take(partition: number): void {
    const at = { topic: this.#in.world.topicOf(partition), partition };
    const head = this.#machine.view.partitions.find((each) => each.partition === partition)?.head;
    const held = head && this.#machine.find(at, head.offset);
    if (held === undefined) return;
    this.note(() => `is told to take ${about(held)} out`);
    held.record.takenOut = true;
    this.feed({ type: "take_requested", at, offset: held.offset });
  }

  /** SIGTERM. */
  stop(): void {
    if (!this.alive || this.#stopByMs !== undefined) return;
    this.note(() => "stops");
    const { timeline, scenario: { machine } } = this.#in.world;
    this.#stopByMs = timeline.nowMs + machine.shutdownGraceMs;
    const there = () => `${this.memberId} is still there`;
    timeline.at(this.#stopByMs + 1, () => expect(!this.alive, "a stop ends", there));
    this.feed({ type: "stop_requested" });
  }

  /** kill -9. */
  kill(): void {
    if (!this.alive) return;
    this.note(() => "killed");
    const { world: { scenario, timeline }, broker } = this.#in;
    const faulty = scenario.faults.some(({ type }) => UNCOMMITTED.includes(type));
    if (this.#source.settledIn && !faulty && this.#stopByMs === undefined) this.#watch.crashed();
    this.#end();
    timeline.after(scenario.sessionTimeoutMs, () => broker.leave(this.memberId));
  }

  feed(event: Event<SimRecord>): void {
    this.#events.push(event);
    if (this.#feeding) return;
    this.#feeding = true;
    for (let next = this.#events.shift(); next !== undefined && this.alive; next = this.#events.shift()) {
      this.#handle(next);
    }
    this.#feeding = false;
    if (!this.alive) return;
    this.#schedule();
    this.#letters.tend(this.#machine.view);
  }

  assigned({ offset, ...at }: Assigned, epoch: number): void {
    if (this.#in.world.scenario.machine.parkKeys) this.#letters.assigned(at, offset, epoch);
  }

  roll(): number {
    return chance(this.#in.world.scenario.seed, 51, this.incarnation, this.#rolls++);
  }

  note(line: () => string): void {
    this.#in.world.story(() => `${this.memberId} ${line()}`);
  }

  #end(): void {
    this.alive = false;
    this.#pool?.close();
  }

  #handle(event: Event<SimRecord>): void {
    const { nowMs } = this.#in.world.timeline;
    if (event.type === "permits_changed") this.#watch.permits = event.permits;
    const commands = this.#machine.handle(event, nowMs);
    for (const command of commands) this.#carryOut(command);
    const wakeMs = this.#machine.wakeAtMs(nowMs) ?? Infinity;
    const spins = event.type === "tick" && commands.length === 0 && wakeMs <= nowMs;
    this.#idleTicks = spins ? this.#idleTicks + 1 : 0;
    expect(this.#idleTicks < 2, "no timer spins", () => `asked for ${wakeMs} at ${nowMs}`);
    this.#watch.handled(this.#machine.view);
  }

  #schedule(): void {
    const { timeline } = this.#in.world;
    const wakeMs = Math.max(this.#machine.wakeAtMs(timeline.nowMs) ?? Infinity, timeline.nowMs);
    if (wakeMs >= this.#tickMs || wakeMs === Infinity) return;
    this.#tickMs = wakeMs;
    timeline.at(wakeMs, () => {
      if (!this.alive || this.#tickMs !== wakeMs) return;
      this.#tickMs = Infinity;
      this.ticks += 1;
      this.feed({ type: "tick" });
    });
  }

  #carryOut(command: Command<SimRecord>): void {
    switch (command.type) {
      case "send":
        return this.#send(command.delivery);
      case "commit":
        this.#watch.committing(command.commit, this.#source.rebalancing || this.#stopByMs !== undefined);
        return this.#source.commit(command.commit);
      case "dead_letter":
        return this.#deadLetter(command.delivery);
      case "pause":
        return this.#source.setPaused(command.partition.partition, true);
      case "resume":
        return this.#source.setPaused(command.partition.partition, false);
      case "check_readiness":
        return this.#checkReadiness();
      case "idle":
        expect(this.backlog === 0, "idle means idle", () => `${this.backlog} left`);
        return this.stop();
      case "stopped":
        return this.#stopped(command.clean);
      case "notice":
        return this.#noticed(command.notice);
      default:
        return command satisfies never;
    }
  }

  #send(delivery: Delivery<SimRecord>): void {
    this.note(() => `sends ${about(delivery)}, attempt ${delivery.attemptsSent}`);
    this.#watch.sent(delivery);
    this.#pool?.send(delivery.record, (outcome) => this.#answered(delivery, outcome));
  }

  #answered(delivery: Delivery<SimRecord>, outcome: Outcome): void {
    this.note(() => `${about(delivery)} came to ${outcomeLabel(outcome)}`);
    this.#watch.ended(delivery, outcome);
    if (ruleFor(outcome).disposition === "settle") {
      this.#in.world.settle(delivery.record);
      delivery.record.root.freed = true;
    }
    this.feed({ type: "attempt_finished", delivery, outcome });
  }

  #deadLetter(delivery: Delivery<SimRecord>): void {
    const { world, broker } = this.#in;
    this.note(() => `dead-letters ${about(delivery)}: ${delivery.reason}`);
    this.#watch.deadLettering(delivery);
    world.timeline.after(1 + this.roll() * 80, () => {
      const leaderless = world.isLeaderless(delivery.record.root.partition);
      const how = leaderless ? "refused" : world.active("dead_letters_fail")?.how;
      if (how !== "refused") broker.deadLetters.push(delivery.record);
      if (world.scenario.machine.parkKeys) return this.#park(delivery, how);
      if (!this.alive) return;
      if (how !== undefined) return this.feed({ type: "dead_letter_failed", delivery });
      world.settle(delivery.record);
      this.feed({ type: "dead_letter_written", delivery });
    });
  }

  /** Where keys are parked others see the letter from the moment it is there, confirmed or not. */
  #park(delivery: Delivery<SimRecord>, how: "refused" | "unanswered" | undefined): void {
    const { world, letters } = this.#in;
    const offset = how === "refused" ? undefined : letters.append(delivery.record);
    if (offset !== undefined) world.settle(delivery.record);
    world.timeline.after(this.roll() * 60, () => {
      if (!this.alive) return;
      if (how !== undefined || offset === undefined) {
        return this.feed({ type: "dead_letter_failed", delivery });
      }
      this.feed({ type: "dead_letter_written", delivery, offset });
    });
  }

  #checkReadiness(): void {
    const { world } = this.#in;
    world.timeline.after(1 + this.roll() * 50, () => {
      if (this.alive) this.feed({ type: "readiness_checked", ready: world.isReady() });
    });
  }

  #stopped(clean: boolean): void {
    const { nowMs } = this.#in.world.timeline;
    this.note(() => `stopped, ${clean ? "clean" : "not clean"}`);
    if (clean) this.#watch.stopped();
    else expect(nowMs >= (this.#stopByMs ?? Infinity), "a stop uses its grace", () => `at ${nowMs}`);
    this.#end();
    this.#in.broker.leave(this.memberId);
  }

  #noticed(notice: Notice<SimRecord>): void {
    switch (notice.kind) {
      case "settled":
        return this.#watch.settled(notice.delivery);
      case "retrying":
        if (notice.counted) this.#watch.counted(notice.delivery);
        return;
      case "paused":
        return this.note(() => `paused: ${notice.cause}`);
      case "resumed":
        return this.note(() => "resumed");
      case "stale":
        return;
      case "map_untrusted":
        return expect(this.#in.world.scenario.meddled, "our own map is trusted", () => notice.why);
      default:
        return notice satisfies never;
    }
  }
}

function about({ record }: Delivery<SimRecord>): string {
  const { kind } = record.plan.behaviour;
  return `${record.partition}@${record.offset}${record.plan.key ?? ""}${kind === "good" ? "" : ` (${kind})`}`;
}
