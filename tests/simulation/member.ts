// One consumer process: the production machine, with a model of everything the real process puts around it.

import type { Assigned, Command, Event, Notice } from "../../consumer/core/events.ts";
import { Ledger } from "../../consumer/core/ledger.ts";
import { encodeOffsetMap } from "../../consumer/core/offset_map.ts";
import type { Machine as ProductionMachine, MachineConfig } from "../../consumer/core/machine.ts";
import type { Commit } from "../../consumer/core/commits.ts";
import type { Delivery, Received } from "../../consumer/core/delivery.ts";
import { type Outcome, outcomeLabel } from "../../shared/outcome.ts";
import { ruleFor } from "../../shared/status_contract.ts";
import type { Broker, GroupListener } from "./broker.ts";
import { chance, stream } from "./random.ts";
import { type BalancerClass, SimPool } from "./sim_pool.ts";
import { expect } from "./violation.ts";
import { type Owned, Watch } from "./watch.ts";
import type { Workers } from "./workers.ts";
import type { SimRecord, World } from "./world.ts";

/** Makes machines: the production one, or one with a planted defect. */
export type MachineClass = new (
  config: MachineConfig,
  random: () => number,
  nowMs: number,
) => ProductionMachine<SimRecord>;

/** What is tested. */
export interface Core {
  readonly Machine: MachineClass;
  readonly Balancer: BalancerClass;
}

/** Everything a member lives in. */
export interface Surroundings {
  readonly core: Core;
  readonly world: World;
  readonly broker: Broker;
  readonly workers: Workers;
}

/** One process, from its start to its end. */
export class Member implements GroupListener {
  readonly #in: Surroundings;
  readonly #incarnation: number;
  readonly #machine: ProductionMachine<SimRecord>;
  readonly #owned: Map<number, Owned> = new Map();
  readonly #watch: Watch;
  readonly #pool: SimPool | undefined;
  readonly #events: Event<SimRecord>[] = [];
  #feeding = false;
  #generation: number | undefined;
  #rebalancing = false;
  #joins = 0;
  #epoch = 0;
  #rolls = 0;
  #commits = 0;
  #tickMs = Infinity;
  #idleTicks = 0;
  #stopping = false;
  #stopByMs = 0;
  /** The process is there. */
  alive = true;
  memberId: string;
  /** Times the machine asked to be woken. */
  ticks = 0;

  constructor(surroundings: Surroundings, incarnation: number) {
    this.#in = surroundings;
    this.#incarnation = incarnation;
    const { core, world, broker, workers } = surroundings;
    const { seed, machine } = world.scenario;
    this.#machine = new core.Machine(machine, stream(seed * 31 + incarnation), world.timeline.nowMs);
    this.#watch = new Watch(world, broker, this.#owned);
    this.memberId = this.#newId();
    let permits = 0;
    const pool = new SimPool(world, workers, core.Balancer, stream(seed * 37 + incarnation), (changed) => {
      permits = changed;
      this.#permitsChanged(changed);
    });
    this.#pool = pool;
    this.#permitsChanged(permits);
    broker.join(this);
  }

  /** The machine's in flight, for the end of a run. */
  get inFlight(): number {
    return this.#machine.view.inFlight;
  }

  /** Records received and not settled: nothing of `fast` may be left at the end. */
  get backlog(): number {
    return this.#machine.view.partitions.reduce((sum, partition) => sum + partition.backlog(), 0);
  }

  /** Fetches what there is. */
  wake(): void {
    for (const owned of this.#owned.values()) this.#fetch(owned);
  }

  /** Replicas came or went. */
  lookUp(): void {
    if (this.alive) this.#pool?.refresh();
  }

  /** SIGTERM. */
  stop(): void {
    if (!this.alive || this.#stopping) return;
    this.#tell(() => "stops");
    this.#feed({ type: "stop_requested" });
    const { shutdownGraceMs } = this.#in.world.scenario.machine;
    this.#in.world.timeline.after(
      shutdownGraceMs + 1,
      () => expect(!this.alive, "a stop ends", () => `${this.memberId} is still there`),
    );
  }

  /** kill -9. */
  kill(): void {
    if (!this.alive) return;
    this.#tell(() => "killed");
    const { world: { scenario, timeline }, broker } = this.#in;
    const faulty = scenario.faults.some((fault) => fault.type === "commits_fail");
    const settledIn = this.#generation === broker.generation && !broker.preparing && !this.#rebalancing;
    if (settledIn && !faulty && !this.#stopping) this.#watch.crashed();
    this.#end();
    timeline.after(scenario.sessionTimeoutMs, () => broker.leave(this.memberId));
  }

  onRebalancing(): void {
    if (!this.alive) return;
    this.#rebalancing = true;
    this.#feed({ type: "rebalancing" });
  }

  onJoined(generation: number, partitions: readonly number[]): void {
    if (!this.alive) return;
    this.#rebalancing = false;
    this.#generation = generation;
    const join = ++this.#joins;
    this.#revoke([...this.#owned.keys()].filter((each) => !partitions.includes(each)));
    const added = partitions.filter((each) => !this.#owned.has(each));
    this.#in.world.timeline.after(5 + this.#roll() * 150, () => {
      // Where the group rebalances again already, the next join brings what this one would have.
      if (this.alive && join === this.#joins && !this.#rebalancing) this.#take(added);
    });
  }

  onEvicted(): void {
    if (!this.alive) return;
    this.#tell(() => "evicted");
    this.#generation = undefined;
    this.#joins += 1;
    this.#revoke([...this.#owned.keys()]);
    if (!this.alive) return;
    this.memberId = this.#newId();
    this.#in.broker.join(this);
  }

  #newId(): string {
    return `c${this.#incarnation}.${this.#joins}`;
  }

  #end(): void {
    this.alive = false;
    this.#pool?.close();
  }

  #revoke(gone: readonly number[]): void {
    for (const partition of gone) {
      this.#owned.delete(partition);
      this.#watch.revoked(partition);
    }
    if (gone.length === 0) return;
    this.#feed({ type: "revoked", partitions: gone.map((partition) => ({ topic: "t", partition })) });
  }

  #take(added: readonly number[]): void {
    const epoch = ++this.#epoch;
    const partitions: Assigned[] = [];
    for (const partition of added) {
      const { offset } = this.#in.broker.committed(partition);
      const metadata = this.#readMetadata(partition);
      const fetched = {
        partition,
        epoch,
        from: offset,
        position: offset,
        paused: false,
        fetching: false,
        settled: new Map(),
      };
      this.#owned.set(partition, fetched);
      partitions.push({ topic: "t", partition, offset, metadata });
    }
    this.#feed({ type: "assigned", epoch, partitions });
    this.wake();
  }

  /** What the broker has, or what somebody made of it. */
  #readMetadata(partition: number): string {
    const { broker, world: { scenario } } = this.#in;
    const { offset, metadata } = broker.committed(partition);
    if (!scenario.meddled || this.#roll() < 0.5) return metadata;
    if (this.#roll() < 0.5) return mapOfAnotherOffset(offset);
    const at = Math.max(12, Math.floor(this.#roll() * metadata.length));
    const damaged = metadata.charAt(at) === "A" ? "B" : "A";
    return at < metadata.length - 2 ? metadata.slice(0, at) + damaged + metadata.slice(at + 1) : "nonsense";
  }

  #fetch(owned: Owned): void {
    const { timeline, logs } = this.#in.world;
    const log = logs[owned.partition];
    if (owned.fetching || owned.paused || log === undefined || log.end <= owned.position) return;
    owned.fetching = true;
    timeline.after(1 + this.#roll() * 60, () => {
      owned.fetching = false;
      if (!this.alive || this.#owned.get(owned.partition) !== owned) return;
      // A pause may come too late for what is on its way.
      if (this.#rebalancing || (owned.paused && this.#roll() < 0.5)) return;
      this.#received(owned);
      this.#fetch(owned);
    });
  }

  #received(owned: Owned): void {
    const { logs, scenario } = this.#in.world;
    const log = logs[owned.partition];
    if (log === undefined) return;
    const from = log.indexOf(owned.position);
    const found = log.records.slice(from, from + scenario.fetchMax);
    const last = found.at(-1);
    const toEnd = from + found.length === log.records.length;
    owned.position = toEnd || last === undefined ? log.end : last.offset + 1;
    const records = found.map((record): Received<SimRecord> => ({
      offset: record.offset,
      timestampMs: 0,
      bytes: record.plan.bytes,
      key: record.plan.key,
      record,
    }));
    const ours = { topic: "t", partition: owned.partition };
    this.#feed({
      type: "received",
      epoch: owned.epoch,
      from: ours,
      records,
      position: owned.position,
      highWatermark: log.end,
    });
  }

  #feed(event: Event<SimRecord>): void {
    this.#events.push(event);
    if (this.#feeding) return;
    this.#feeding = true;
    for (let next = this.#events.shift(); next !== undefined && this.alive; next = this.#events.shift()) {
      this.#handle(next);
    }
    this.#feeding = false;
    if (this.alive) this.#schedule();
  }

  #handle(event: Event<SimRecord>): void {
    const { nowMs } = this.#in.world.timeline;
    if (event.type === "stop_requested") {
      this.#stopping = true;
      this.#stopByMs = nowMs + this.#in.world.scenario.machine.shutdownGraceMs;
    }
    if (event.type === "permits_changed") this.#watch.permits = event.permits;
    const commands = this.#machine.handle(event, nowMs);
    for (const command of commands) this.#carryOut(command);
    const wakeMs = this.#machine.wakeAtMs(nowMs) ?? Infinity;
    this.#idleTicks = event.type === "tick" && commands.length === 0 && wakeMs <= nowMs
      ? this.#idleTicks + 1
      : 0;
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
      this.#feed({ type: "tick" });
    });
  }

  #carryOut(command: Command<SimRecord>): void {
    const { world: { timeline }, broker } = this.#in;
    switch (command.type) {
      case "send":
        return this.#send(command.delivery);
      case "commit":
        return this.#commit(command.commit);
      case "dead_letter":
        return this.#deadLetter(command.delivery);
      case "pause":
        return this.#paused(command.partition.partition, true);
      case "resume":
        return this.#paused(command.partition.partition, false);
      case "check_readiness":
        return timeline.after(1 + this.#roll() * 50, () => {
          if (this.alive) this.#feed({ type: "readiness_checked", ready: this.#in.world.isReady() });
        });
      case "idle":
        expect(this.backlog === 0, "idle means idle", () => `${this.backlog} left`);
        return this.stop();
      case "stopped":
        this.#tell(() => `stopped, ${command.clean ? "clean" : "not clean"}`);
        if (command.clean) this.#watch.stopped();
        else expect(timeline.nowMs >= this.#stopByMs, "a stop uses its grace", () => `${timeline.nowMs}`);
        this.#end();
        return broker.leave(this.memberId);
      case "notice":
        return this.#noticed(command.notice);
      default:
        return command satisfies never;
    }
  }

  #paused(partition: number, paused: boolean): void {
    const owned = this.#owned.get(partition);
    if (owned === undefined) return;
    owned.paused = paused;
    this.#fetch(owned);
  }

  #send(delivery: Delivery<SimRecord>): void {
    this.#tell(() => `sends ${about(delivery)}, attempt ${delivery.posts}`);
    this.#watch.sent(delivery);
    this.#pool?.send(delivery.record, (outcome) => this.#answered(delivery, outcome));
  }

  #answered(delivery: Delivery<SimRecord>, outcome: Outcome): void {
    this.#tell(() => `${about(delivery)} came to ${outcomeLabel(outcome)}`);
    this.#watch.ended(delivery, outcome);
    if (ruleFor(outcome).disposition === "settle") this.#in.world.settle(delivery.record);
    this.#feed({ type: "attempt_finished", delivery, outcome });
  }

  #commit(commit: Commit<SimRecord>): void {
    const { world, broker } = this.#in;
    const leaving = this.#rebalancing || this.#stopping;
    this.#watch.committing(commit, leaving);
    const marks = commit.marks.map(({ partition: { partition }, mark }) => ({ partition, ...mark }));
    this.#tell(() => `commits ${marks.map((mark) => `${mark.partition}@${mark.offset}`).join(" ")}`);
    const [generation, memberId, sequence] = [this.#generation, this.memberId, ++this.#commits];
    const how = world.active("commits_fail")?.how;
    const sent = 1 + this.#roll() * 40;
    const answer = (ok: boolean, waitMs: number) =>
      world.timeline.after(waitMs, () => {
        if (!this.alive) return;
        this.#watch.commitFinished(commit.id, ok);
        this.#tell(() => `commit ${commit.id} ${ok ? "confirmed" : "refused"}`);
        this.#feed({ type: "commit_finished", id: commit.id, ok });
      });
    if (generation === undefined || how === "refused") return answer(false, sent);
    const arrive = () => broker.commit(memberId, generation, sequence, marks);
    if (how === "late") {
      world.timeline.after(sent + this.#roll() * 8000, arrive);
      return answer(false, sent + 20);
    }
    world.timeline.after(sent, () => {
      const ok = arrive();
      answer(ok && how !== "unanswered", 1 + this.#roll() * 40);
    });
  }

  #deadLetter(delivery: Delivery<SimRecord>): void {
    const { world, broker } = this.#in;
    this.#tell(() => `dead-letters ${about(delivery)}: ${delivery.reason}`);
    this.#watch.deadLettering(delivery);
    world.timeline.after(1 + this.#roll() * 80, () => {
      const how = world.active("dead_letters_fail")?.how;
      if (how !== "refused") broker.deadLetters.push(delivery.record);
      if (!this.alive) return;
      if (how !== undefined) return this.#feed({ type: "dead_letter_failed", delivery });
      world.settle(delivery.record);
      this.#feed({ type: "dead_letter_written", delivery });
    });
  }

  #noticed(notice: Notice<SimRecord>): void {
    switch (notice.kind) {
      case "settled":
        return this.#watch.settled(notice.delivery);
      case "retrying":
        if (notice.counted) this.#watch.counted(notice.delivery);
        return;
      case "paused":
        return this.#tell(() => `paused: ${notice.cause}`);
      case "resumed":
        return this.#tell(() => "resumed");
      case "stale":
        return;
      case "map_untrusted":
        return expect(this.#in.world.scenario.meddled, "our own map is trusted", () => notice.why);
      default:
        return notice satisfies never;
    }
  }

  #permitsChanged(permits: number): void {
    // The pool may speak before there is a machine to hear it.
    if (this.#pool === undefined) return;
    this.#feed({ type: "permits_changed", permits });
  }

  #roll(): number {
    return chance(this.#in.world.scenario.seed, 51, this.#incarnation, this.#rolls++);
  }

  #tell(line: () => string): void {
    this.#in.world.story(() => `${this.memberId} ${line()}`);
  }
}

/** A well-made map, but about another offset: of a topic that was made anew, or copied by some tool. */
function mapOfAnotherOffset(offset: number): string {
  const ledger = new Ledger<{ attempts: number }>(offset + 1);
  ledger.receive(offset + 1, { attempts: 0 });
  for (let next = offset + 2; next < offset + 8; next++) ledger.settle(ledger.receive(next, { attempts: 0 }));
  return encodeOffsetMap(ledger);
}

function about({ record }: Delivery<SimRecord>): string {
  const { kind } = record.plan.behaviour;
  return `${record.partition}@${record.offset}${record.plan.key ?? ""}${kind === "good" ? "" : ` (${kind})`}`;
}
