// What is the case, whatever any consumer believes: the logs, what is truly settled, and which faults are at work now.

import type { Fault, PlannedRecord, Scenario } from "./scenario.ts";
import type { Flow } from "../../consumer/core/policies/flow.ts";
import type { ReplayPlace } from "../../consumer/core/parking/letters.ts";
import type { Timeline } from "./timeline.ts";

/** A record in the log, and what truly became of it. */
export interface SimRecord {
  readonly id: number;
  readonly plan: PlannedRecord;
  readonly partition: number;
  readonly offset: number;
  /** Its timestamp, by the producer's clock. */
  readonly timestampMs: number;
  /** Place among the records of its lane. */
  readonly laneIndex: number;
  /** The record it is a replay of; itself where it is none. */
  readonly root: SimRecord;
  /** Of a replay: the offset of the dead letter that it was. */
  readonly letter: number | undefined;
  /** Of a root: a worker answered success for it or a replay of it, or an operator dropped it. */
  freed: boolean;
  /** A worker answered success to the consumer that asked, or the broker confirmed its dead letter to it. */
  settled: boolean;
  /** When that was, in ms. */
  settledMs: number;
  /** An operator has asked for its dead letter. */
  takenOut: boolean;
  /** Its topic was deleted. */
  gone: boolean;
  /** POSTs of it by all consumers together. */
  posts: number;
  /** Failures of its own that it has had, as planned. */
  failed: number;
  /** Attempts of it at work now. */
  working: number;
}

/** One partition's log. */
export class Log {
  records: SimRecord[] = [];
  /** One past the last offset, markers included. */
  end = 0;
  /** How often it was made anew. */
  life = 0;
  /** Records of its lives before. */
  readonly gone: SimRecord[] = [];

  /** Index of the first record at or above an offset. */
  indexOf(offset: number): number {
    let [low, high] = [0, this.records.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.records[middle]?.offset ?? Infinity) < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The first record at or above an offset that is truly unsettled. */
  firstUnsettled(from: number): SimRecord | undefined {
    let at = this.indexOf(from);
    while (this.records[at]?.settled) at += 1;
    return this.records[at];
  }
}

/** The state of the world. */
export class World {
  readonly scenario: Scenario;
  readonly timeline: Timeline;
  readonly logs: readonly Log[];
  readonly story: (line: () => string) => void;
  readonly #lanes: Map<string, SimRecord[]> = new Map();
  readonly #laneSettled: Map<string, number> = new Map();
  readonly #produced: (() => void)[] = [];
  readonly #sources: number;
  unsettled = 0;
  /** Consumer processes so far. */
  processes = 0;
  /** Good records that were dead-lettered by any of them. */
  readonly goodDeadLetters: Set<SimRecord> = new Set();
  unproduced: number;
  #ids = 0;

  constructor(scenario: Scenario, timeline: Timeline, story: (line: () => string) => void) {
    this.scenario = scenario;
    this.timeline = timeline;
    this.story = story;
    this.#sources = scenario.partitions;
    // Behind the source topic's partitions come those of the retry topic.
    const retries = scenario.machine.parkKeys ? scenario.partitions : 0;
    this.logs = Array.from({ length: scenario.partitions + retries }, () => new Log());
    this.unproduced = scenario.records.length;
    for (const plan of scenario.records) timeline.after(plan.atMs, () => this.#produce(plan));
  }

  /** Records that came in the last so many ms. */
  producedWithin(ms: number): number {
    const nowMs = this.timeline.nowMs - STARTED_MS;
    return this.scenario.records.filter(({ atMs }) => atMs > nowMs - ms && atMs <= nowMs).length;
  }

  /** Calls back whenever a record was produced. */
  onProduced(listener: () => void): void {
    this.#produced.push(listener);
  }

  /** Which lane orders a record; undefined where none does. */
  laneOf({ partition, key }: PlannedRecord): string | undefined {
    switch (this.scenario.machine.mode) {
      case "key":
        return key === null ? undefined : `${partition}/${key}`;
      case "partition":
        return String(partition);
      case "parallel":
      case "batch":
      case "fast":
        return undefined;
      default:
        return this.scenario.machine.mode satisfies never;
    }
  }

  /** A record of the same lane that comes before it and is truly unsettled. */
  unsettledBefore(record: SimRecord): SimRecord | undefined {
    const lane = this.laneOf(record.plan);
    if (lane === undefined || record.gone) return undefined;
    const records = this.#lanes.get(lane) ?? [];
    let at = this.#laneSettled.get(lane) ?? 0;
    while (records[at]?.settled) at += 1;
    this.#laneSettled.set(lane, at);
    return at < record.laneIndex ? records[at] : undefined;
  }

  /** A record of the same key that comes before it and was neither delivered nor dropped, by replays neither. */
  unfreedBefore({ root }: SimRecord): SimRecord | undefined {
    if (root.gone) return undefined;
    const lane = this.laneOf(root.plan);
    const records = lane === undefined ? [] : this.#lanes.get(lane) ?? [];
    return records.slice(0, root.laneIndex).find(({ freed }) => !freed);
  }

  /** Records by where they were read first: `topic/partition/offset`; several where the topic was made anew. */
  atOrigin(place: string): readonly SimRecord[] {
    const [, partition, offset] = place.split("/").map(Number);
    const log = this.logs[partition ?? -1];
    return [...log?.records ?? [], ...log?.gone ?? []].filter((record) => record.offset === offset);
  }

  /** The source topic is deleted with everything in it, and made anew. */
  makeAnew(): void {
    for (const log of this.logs.slice(0, this.#sources)) {
      for (const record of log.records) {
        this.settle(record);
        record.freed = record.gone = true;
      }
      log.gone.push(...log.records);
      [log.records, log.end] = [[], 0];
      log.life += 1;
    }
    for (const lane of [...this.#lanes.keys()]) {
      if (Number(lane.split("/")[0]) >= this.#sources) continue;
      this.#lanes.delete(lane);
      this.#laneSettled.delete(lane);
    }
  }

  /** An operator wants everything from an offset on to be delivered again. */
  rewind(partition: number, offset: number): void {
    for (const record of this.logs[partition]?.records ?? []) {
      if (record.offset < offset || !record.settled) continue;
      [record.settled, record.settledMs] = [false, Infinity];
      this.unsettled += 1;
    }
    this.#laneSettled.clear();
  }

  /** What operators hold and limit now. */
  get flow(): Flow {
    const pauses = this.#allActive("pause");
    const limits = this.#allActive("limit");
    const least = (values: readonly (number | undefined)[]) => {
      const set = values.filter((each) => each !== undefined);
      return set.length === 0 ? undefined : Math.min(...set);
    };
    return {
      holds: pauses.map(({ of }) =>
        of === "all" ? {} : of === "topic" ? { topic: "t" } : { topic: "t", partition: of }
      ),
      ratePerSecond: least(limits.map(({ ratePerSecond }) => ratePerSecond)),
      permitsMax: least(limits.map(({ permitsMax }) => permitsMax)),
      partitions: this.logs.length,
    };
  }

  /** Time of day as machines have it, in ms: it may be set back. */
  get dayMs(): number {
    return DAY_MS + this.timeline.nowMs - (this.active("clock_back")?.byMs ?? 0);
  }

  /** Whether a partition has no leader now. */
  isLeaderless(partition: number): boolean {
    return this.#allActive("leaderless").some((fault) => fault.partition === partition);
  }

  #allActive<T extends Fault["type"]>(type: T): readonly Extract<Fault, { type: T }>[] {
    const now = this.timeline.nowMs - STARTED_MS;
    return this.scenario.faults.filter((fault): fault is Extract<Fault, { type: T }> =>
      fault.type === type && now >= fault.atMs && now < fault.atMs + fault.forMs
    );
  }

  /** `topic/partition`. */
  nameOf(partition: number): string {
    return `${this.topicOf(partition)}/${partition}`;
  }

  topicOf(partition: number): string {
    return partition < this.#sources ? "t" : "r";
  }

  isRetry(partition: number): boolean {
    return partition >= this.#sources;
  }

  /** Where the next replays of a source partition will lie in the retry topic. */
  retryPlace(source: number, each: number): ReplayPlace {
    const partition = source + this.#sources;
    return { at: this.nameOf(partition), offset: (this.logs[partition]?.end ?? 0) + each };
  }

  /** Records come into the retry topic. */
  replay(letters: readonly { readonly record: SimRecord; readonly offset: number }[]): void {
    for (const { record: { root, plan }, offset } of letters) {
      const partition = root.partition + this.#sources;
      this.#append({ ...plan, partition, gapBefore: 0 }, root, offset);
    }
    for (const listener of this.#produced) listener();
  }

  /** A record is truly finished with. */
  settle(record: SimRecord): void {
    if (record.settled) return;
    record.settled = true;
    record.settledMs = this.timeline.nowMs;
    this.unsettled -= 1;
  }

  /** The fault of a type that is at work now. */
  active<T extends Fault["type"]>(type: T): Extract<Fault, { type: T }> | undefined {
    const now = this.timeline.nowMs;
    for (const fault of this.scenario.faults) {
      if (fault.type !== type || now < STARTED_MS + fault.atMs) continue;
      if (now < STARTED_MS + fault.atMs + fault.forMs) return fault as Extract<Fault, { type: T }>;
    }
    return undefined;
  }

  /** Whether a replica's process is there. */
  isUp(replica: number): boolean {
    if (this.active("outage")?.how === "refused") return false;
    const down = this.active("replica_down");
    return down === undefined || down.replica !== replica;
  }

  /** What the replicas' `/readyz` says. */
  isReady(): boolean {
    if (this.active("outage") !== undefined || this.active("half_outage")?.denied === false) return false;
    return Array.from({ length: this.scenario.replicas }, (_, replica) => this.isUp(replica)).includes(true);
  }

  #produce(plan: PlannedRecord): void {
    this.unproduced -= 1;
    this.#append(plan);
    if (this.unproduced === 0) {
      for (const log of this.logs.slice(0, this.#sources)) log.end += this.scenario.markersAtEnd;
    }
    for (const listener of this.#produced) listener();
  }

  #append(plan: PlannedRecord, root?: SimRecord, letter?: number): void {
    const log = this.logs[plan.partition];
    if (log === undefined) return;
    const lane = this.laneOf(plan);
    const mates = lane === undefined ? [] : this.#lanes.get(lane) ?? [];
    const record: SimRecord = {
      id: this.#ids++,
      get root() {
        return root ?? record;
      },
      letter,
      freed: false,
      plan,
      partition: plan.partition,
      offset: log.end + plan.gapBefore,
      timestampMs: this.dayMs,
      gone: false,
      laneIndex: mates.length,
      settled: false,
      settledMs: Infinity,
      takenOut: false,
      posts: 0,
      failed: 0,
      working: 0,
    };
    if (lane !== undefined) this.#lanes.set(lane, mates);
    mates.push(record);
    log.records.push(record);
    log.end = record.offset + 1;
    this.unsettled += 1;
  }
}

/** The time of day at 0, in ms. */
const DAY_MS = 1_700_000_000_000;
/** When a run begins, in ms: any time but 0. */
export const STARTED_MS = 1000;
