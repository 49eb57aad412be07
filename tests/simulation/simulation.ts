// One run: a schedule is played to its end, and what must be true at the end is checked.

import { VERDICT } from "../../consumer/core/policies/health_window.ts";
import { Broker } from "./broker.ts";
import { LetterTopic } from "./letters.ts";
import { Member } from "./member.ts";
import type { Core } from "./surroundings.ts";
import { type Fault, FAULTS_FOR_MS, type PlannedRecord, type Scenario } from "./scenario.ts";
import { Timeline } from "./timeline.ts";
import { expect, Violation } from "./violation.ts";
import { Workers } from "./workers.ts";
import { STARTED_MS, World } from "./world.ts";

/** What a run came to. */
export interface RunResult {
  readonly violation: Violation | undefined;
  readonly events: number;
  /** Virtual time it took, in ms. */
  readonly tookMs: number;
  readonly posts: number;
  readonly deadLetters: number;
}

/** More than any schedule needs: something goes round in circles. */
const EVENTS_MAX = 300_000;
/** Faults that pause delivery: when only bad records are left then, it takes its time to find out. */
const PAUSING: readonly Fault["type"][] = ["outage", "bad_deploy", "half_outage", "replica_down"];
/** Good records are late this long after they came, in ms, and so many of them may be. */
const LATE_MS = 5000;
const LATE_SHARE = 0.3;
/** Fewer of them say nothing. */
const GOOD_LEAST = 20;
const BAD_LEAST = 3;
/** How long a run is watched after all is done, in ms, and how often a consumer may ask to be woken in that time. */
const QUIET_MS = 5000;
const QUIET_TICKS = 5;
/** Rounds of dropping and replaying in the end: what is good may be dead-lettered again by a bad deploy's leftovers. */
const ROUNDS_MAX = 5;

/** Plays one schedule. Exceptions of the core are violations too. */
export function run(scenario: Scenario, core: Core, story: (line: string) => void = () => {}): RunResult {
  const simulation = new Simulation(scenario, core, story);
  let violation: Violation | undefined;
  try {
    simulation.play();
  } catch (error) {
    violation = error instanceof Violation ? error : new Violation("no exceptions", String(error));
  }
  return { violation, ...simulation.figures };
}

class Simulation {
  readonly #scenario: Scenario;
  readonly #core: Core;
  readonly #timeline = new Timeline();
  readonly #world: World;
  readonly #broker: Broker;
  readonly #workers: Workers;
  readonly #letters: LetterTopic;
  readonly #members: Member[] = [];
  #returning = 0;
  #events = 0;
  #mayLose = false;

  constructor(scenario: Scenario, core: Core, story: (line: string) => void) {
    this.#scenario = scenario;
    this.#core = core;
    this.#world = new World(scenario, this.#timeline, (line) => {
      if (story.length > 0) story(`${String(this.#timeline.nowMs).padStart(8)} ${line()}`);
    });
    this.#broker = new Broker(this.#world);
    this.#workers = new Workers(this.#world);
    this.#letters = new LetterTopic(this.#world);
    this.#world.onProduced(() => this.#members.forEach((member) => member.alive && member.wake()));
  }

  get figures(): Omit<RunResult, "violation"> {
    const posts = this.#world.logs.flatMap((log) => log.records).reduce((sum, { posts }) => sum + posts, 0);
    return {
      events: this.#events,
      tookMs: this.#timeline.nowMs,
      posts,
      deadLetters: this.#broker.deadLetters.length,
    };
  }

  play(): void {
    for (let index = 0; index < this.#scenario.consumers; index++) this.#start();
    for (const fault of this.#scenario.faults) {
      this.#timeline.at(STARTED_MS + fault.atMs, () => this.#happens(fault));
    }
    const faultsEndMs = STARTED_MS + FAULTS_FOR_MS +
      Math.max(0, ...this.#scenario.faults.map((fault) => fault.atMs + fault.forMs - FAULTS_FOR_MS));
    this.#timeline.at(faultsEndMs, () => this.#ensureOne());
    this.#until("everything settles", faultsEndMs + this.#patienceMs(), () => this.#done(faultsEndMs));
    if (this.#scenario.machine.parkKeys) this.#cleanUp(faultsEndMs);
    if (this.#scenario.goodFlow) this.#flowed();
    if (this.#scenario.badCounted) this.#counted();
    if (this.#scenario.machine.idleExitMs === undefined) this.#end();
    this.#lostNothing();
  }

  #done(faultsEndMs: number): boolean {
    if (this.#timeline.nowMs < faultsEndMs || this.#world.unproduced > 0 || this.#returning > 0) return false;
    if (this.#scenario.machine.idleExitMs !== undefined) return this.#alive().length === 0;
    if (this.#broker.preparing || !this.#committed() || !this.#alive().every(atRest)) return false;
    if (!this.#alive().every(({ settledIn }) => settledIn)) return false;
    return this.#world.unsettled === 0 || (this.#scenario.machine.mode === "fast" && this.#mayLose);
  }

  /** In the end operators drop what is bad and replay the rest, as often as it takes: then no key is parked. */
  #cleanUp(faultsEndMs: number): void {
    this.#isKept();
    for (let round = 0; round < ROUNDS_MAX && this.#letters.allOpen.length > 0; round++) {
      this.#letters.drop(this.#letters.allOpen.filter(({ record: { plan } }) => isBad(plan)));
      for (let each = 0; each < this.#scenario.partitions; each++) {
        this.#letters.replay(each, undefined, Infinity);
      }
      const nowMs = this.#timeline.nowMs;
      // Replays are on their way a moment after they were asked for.
      this.#timeline.at(nowMs + 1001, () => {});
      this.#until("replays settle", nowMs + this.#patienceMs(), () => {
        return this.#timeline.nowMs > nowMs + 1000 && this.#done(faultsEndMs);
      });
    }
    const { nowMs } = this.#timeline;
    const free = () => this.#alive().every(({ parkedKeys }) => parkedKeys === 0);
    this.#until("keys are freed", nowMs + 60_000, free);
    const kept = this.#world.logs.flatMap(({ records }) => records).find(({ root }) => !root.freed);
    expect(kept === undefined, "replays deliver what was parked", () => `${kept?.partition}@${kept?.offset}`);
  }

  /** Every record was delivered or dropped, or there is a dead letter of it. */
  #isKept(): void {
    const kept = new Set(this.#letters.allOpen.map(({ record }) => record.root));
    const lost = this.#world.logs.flatMap(({ records }) => records).find(({ root }) =>
      !root.freed && !kept.has(root)
    );
    expect(lost === undefined, "what is parked is kept", () => `${lost?.partition}@${lost?.offset}`);
  }

  #end(): void {
    const quietMs = this.#timeline.nowMs + QUIET_MS;
    const before = new Map(this.#alive().map((member) => [member, member.ticks]));
    while (this.#timeline.nextMs <= quietMs) this.#step();
    this.#alive().forEach((member) => {
      expect(member.inFlight === 0, "permits come back", () => `${member.inFlight} in flight`);
      const ticks = member.ticks - (before.get(member) ?? 0);
      expect(ticks <= QUIET_TICKS, "an idle consumer sleeps", () => `${ticks} times woken`);
    });
    for (const member of this.#alive()) member.stop();
    this.#until("all stop", this.#timeline.nowMs + 60_000, () => this.#alive().length === 0);
  }

  /** Bad records beside them hold no good one up: neither by their retries nor by what is made of them. */
  #flowed(): void {
    const good = this.#world.logs.flatMap(({ records }) => records).filter(({ plan }) =>
      plan.behaviour.kind === "good"
    );
    const late = good.filter(({ settledMs, plan }) => settledMs > STARTED_MS + plan.atMs + LATE_MS).length;
    if (good.length < GOOD_LEAST) return;
    expect(
      late <= good.length * LATE_SHARE,
      "good records flow beside bad ones",
      () => `${late} of ${good.length} are late`,
    );
  }

  /** Bad records that came while good ones flowed were not tried more often than it takes to know them. */
  #counted(): void {
    const posts = this.#world.logs.flatMap(({ records }) => records).filter(({ plan }) =>
      isBad(plan) && plan.atMs < FAULTS_FOR_MS / 3
    ).map(({ posts }) => posts).sort((a, b) => a - b);
    const median = posts[Math.floor(posts.length / 2)] ?? 0;
    if (posts.length < BAD_LEAST) return;
    const most = 2 * this.#scenario.machine.maxAttempts;
    expect(median <= most, "bad records use their attempts up", () => `${median} attempts of most of them`);
  }

  #lostNothing(): void {
    if (this.#scenario.machine.mode === "fast" && this.#mayLose) return;
    const lost = this.#world.logs.flatMap(({ records }) => records).find((record) => !record.settled);
    expect(lost === undefined, "nothing is lost", () => `${lost?.partition}@${lost?.offset}`);
    expect(
      this.#committed(),
      "lag reads 0",
      () =>
        this.#world.logs.map((log, each) => `${each}: ${this.#broker.committed(each).offset}/${log.end}`)
          .join(" "),
    );
  }

  #until(what: string, deadlineMs: number, done: () => boolean): void {
    while (!done()) {
      expect(
        !this.#timeline.over,
        what,
        () => `nothing happens any more, ${this.#world.unsettled} unsettled`,
      );
      expect(
        this.#timeline.nextMs <= deadlineMs,
        what,
        () => `not by ${deadlineMs}: ${this.#world.unsettled}`,
      );
      this.#step();
    }
  }

  #step(): void {
    this.#events += 1;
    expect(this.#events < EVENTS_MAX, "nothing goes round in circles", () => `${this.#events} events`);
    this.#timeline.step();
  }

  #committed(): boolean {
    return this.#world.logs.every((log, partition) => this.#broker.committed(partition).offset === log.end);
  }

  #alive(): Member[] {
    return this.#members.filter((member) => member.alive);
  }

  #start(): Member {
    const member = new Member(
      {
        core: this.#core,
        world: this.#world,
        broker: this.#broker,
        workers: this.#workers,
        letters: this.#letters,
      },
      this.#members.length,
    );
    this.#members.push(member);
    return member;
  }

  #ensureOne(): void {
    if (this.#alive().length === 0 && this.#returning === 0) this.#start();
  }

  #startIn(waitMs: number): void {
    this.#returning += 1;
    this.#timeline.after(waitMs, () => {
      this.#returning -= 1;
      this.#start();
    });
  }

  #happens(fault: Fault): void {
    this.#world.story(() => `-- ${describeFault(fault)}`);
    const alive = this.#alive();
    const target = "consumer" in fault ? alive[fault.consumer % Math.max(1, alive.length)] : undefined;
    switch (fault.type) {
      case "kill":
        this.#mayLose = true;
        target?.kill();
        return target && this.#startIn(fault.forMs);
      case "restart":
        target?.stop();
        return target && this.#startIn(fault.forMs);
      case "join": {
        const guest = this.#start();
        // One that drains goes when there is nothing left, or there might be nobody left.
        if (this.#scenario.machine.idleExitMs !== undefined) return;
        return this.#timeline.after(fault.forMs, () => guest.stop());
      }
      case "evict":
        this.#mayLose = true;
        return target && this.#broker.evict(target.memberId);
      case "rebalance":
        return this.#broker.rebalance();
      case "replay":
        return this.#letters.replay(fault.partition, fault.key, fault.most);
      case "drop":
        return this.#letters.drop(this.#letters.open(fault.partition).slice(0, 1));
      case "take":
        return alive.forEach((member) => member.take(fault.partition));
      case "no_replica":
        alive.forEach((member) => member.lookUp());
        return this.#timeline.after(fault.forMs, () => this.#alive().forEach((member) => member.lookUp()));
      case "commits_fail":
        this.#mayLose = true;
        return;
      case "pause":
      case "limit":
        this.#tellFlow();
        return this.#timeline.after(fault.forMs, () => this.#tellFlow());
      case "half_join":
        this.#mayLose = true;
        target?.missJoin();
        return target && this.#broker.rebalance();
      case "leaderless":
        this.#mayLose = true;
        return this.#timeline.after(fault.forMs, () => this.#alive().forEach((member) => member.wake()));
      case "topic_anew":
        this.#mayLose = true;
        this.#world.makeAnew();
        this.#broker.forgetSources();
        return alive.forEach((member) => member.noticeAnew());
      case "rewind":
        return this.#rewind(fault);
      case "clock_back":
      case "outage":
      case "bad_deploy":
      case "half_outage":
      case "misconfigured":
      case "replica_down":
      case "rate_limit":
      case "slow":
      case "dead_letters_fail":
        return;
      default:
        return fault satisfies never;
    }
  }

  /** Each consumer asks once a second. */
  #tellFlow(): void {
    for (const member of this.#alive()) this.#timeline.after(member.roll() * 1000, () => member.hearFlow());
  }

  /** Everybody is without the group, an operator sets a partition back, and they come back. */
  #rewind({ partition, share }: Extract<Fault, { type: "rewind" }>): void {
    this.#mayLose = true;
    for (const member of this.#alive()) member.leaveFor(500);
    this.#timeline.after(250, () => {
      const to = this.#broker.rewind(partition, share);
      if (to !== undefined) this.#world.rewind(partition, to);
    });
  }

  /** How long it may take after the faults are over, in ms: what has to wait, one after the other. */
  #patienceMs(): number {
    const { records, machine, timeoutMs, concurrency } = this.#scenario;
    const { maxAttempts, backoff, retryAfterMaxMs, idleExitMs, mode } = machine;
    const bad = records.filter(({ behaviour }) => behaviour.kind !== "good").length;
    const inTurn = mode === "partition" || mode === "key" || mode === "batch" || concurrency === 1;
    const retriesMs = maxAttempts * (Math.max(backoff.maxMs, VERDICT.slowCountMs) + timeoutMs + 1000);
    const outages = this.#scenario.faults.some(({ type }) => PAUSING.includes(type));
    const leftoversMs = bad < 3 && !outages ? 0 : bad * (620_000 + maxAttempts * (16_000 + timeoutMs));
    const deeds = this.#scenario.faults.filter(({ type }) => type === "replay").length;
    return (1 + deeds) *
      (150_000 + retryAfterMaxMs * 4 + (idleExitMs ?? 0) * 2 + records.length * 2 * timeoutMs +
        retriesMs * (inTurn ? bad + 1 : 2) + bad * 10_000 + leftoversMs);
  }
}

/** It never settles, however often it is replayed. */
function isBad({ behaviour }: PlannedRecord): boolean {
  return behaviour.kind === "poison" || behaviour.kind === "rejected" || behaviour.kind === "asked";
}

function atRest(member: Member): boolean {
  return member.backlog === 0 && member.inFlight === 0;
}

/** A fault in one line. */
export function describeFault({ atMs, forMs, type, ...more }: Fault): string {
  const rest = Object.entries(more).map(([name, value]) => ` ${name}=${value}`).join("");
  return `${type}${rest} at ${atMs} ms for ${forMs} ms`;
}
