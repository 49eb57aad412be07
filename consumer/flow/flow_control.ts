// FlowControl: follows what operators set for the group, hands it to the machine, and takes their changes.

import type { Cause } from "../../shared/http/health.ts";
import { logger } from "../../shared/log.ts";
import { pause } from "../../shared/wait.ts";
import type { Flow, Hold } from "../core/policies/flow.ts";
import type { MachineView } from "../core/view.ts";
import type { FlowJson, SetBy } from "./flow_json.ts";
import {
  describeHold,
  type FlowLimit,
  type FlowSettings,
  type Operator,
  withoutPause,
  withPause,
} from "./flow_settings.ts";
import type { FlowStore } from "./flow_store.ts";
import { KeptSettings } from "./kept_settings.ts";
import { pausedCause } from "./paused_cause.ts";
import { NotKept, NotRead } from "./refusals.ts";

/** One line for each action of an operator. */
const audit = logger("audit");

/** How soon a change is heard of that another consumer was told, in ms. */
const LOOK_EVERY_MS = 1000;
/** Between two counts of the partitions that limits are shared by, in ms. */
const COUNT_EVERY_MS = 5000;

/** What it works with. */
export interface FlowPorts {
  readonly store: FlowStore;
  /** Topics that the group reads, retry topics among them. */
  readonly topics: () => readonly string[];
  /** How many partitions a topic has; 0 where there is no such topic. */
  readonly countPartitions: (topic: string) => Promise<number>;
  /** The machine is to do so from now on. */
  readonly apply: (flow: Flow) => void;
  readonly view: () => MachineView;
  /** `RATE_LIMIT`. */
  readonly ratePerSecond: number | undefined;
  readonly nowMs: () => number;
  /** Time of day, in ms. */
  readonly dayMs: () => number;
}

/** The flow of one group, as one consumer knows it. */
export class FlowControl {
  readonly #ports: FlowPorts;
  readonly #kept: KeptSettings;
  readonly #closing = new AbortController();
  #partitions: number | undefined;
  #countedMs = -Infinity;
  #turn: Promise<unknown> = Promise.resolve();
  #following: Promise<void> = Promise.resolve();

  constructor(ports: FlowPorts) {
    this.#ports = ports;
    const { store, topics, nowMs } = ports;
    this.#kept = new KeptSettings({ store, topics, nowMs, changed: () => this.#apply() });
  }

  /**
   * Looks for the first time, until Kafka answers or `signal` fires: what is paused must not be sent before that is
   * known. Where we have no right to look nothing is kept, and delivery goes on.
   *
   * @param waiting hears why it takes longer.
   */
  async first(waiting: (why: string) => void, signal: AbortSignal): Promise<void> {
    this.#apply();
    while (!signal.aborted) {
      const error = await this.#look();
      if (error === undefined || error.name === "Forbidden") return;
      waiting(error.message);
      await pause(LOOK_EVERY_MS, signal);
    }
  }

  /** Looks again and again, until `close()`. */
  follow(): void {
    this.#following = this.#follow();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#following;
    await this.#ports.store.close();
  }

  /** How things are. */
  now(): FlowJson {
    const { version, notKept, settings: { pauses, rate, pool } } = this.#kept;
    const { partitions, permits, ratePerSecond } = this.#ports.view();
    return {
      version,
      pauses,
      rate: { recordsPerSecond: this.#ratePerSecond ?? null, setBy: setBy(rate) },
      pool: { permits: pool?.value ?? null, setBy: setBy(pool) },
      here: {
        partitions: partitions.length,
        ofPartitions: this.#partitions ?? null,
        recordsPerSecond: ratePerSecond ?? null,
        permits,
        held: partitions.filter(({ held }) => held).map(({ id }) => id),
      },
      notKept,
    };
  }

  /** Sends nothing new of it from now on. @throws {NotRead} @throws {NotKept} @throws {TooMuchToKeep} */
  async pause(hold: Hold, who: Operator): Promise<FlowJson> {
    await this.#checkRead(hold);
    return await this.#change("pause", describeHold(hold), who, (s, since) => withPause(s, hold, who, since));
  }

  /** Lets it go on. @throws {NotKept} @throws {PausedAsAWhole} */
  async resume(hold: Hold, who: Operator): Promise<FlowJson> {
    return await this.#change("resume", describeHold(hold), who, (s) => withoutPause(s, hold));
  }

  /** Sets the group's attempts a second; null: what `RATE_LIMIT` says. @throws {NotKept} */
  async setRate(value: number | null, who: Operator): Promise<FlowJson> {
    return await this.#setLimit("rate", value, who);
  }

  /** Sets the group's attempts at once; null: as many as the pools take. @throws {NotKept} */
  async setPool(value: number | null, who: Operator): Promise<FlowJson> {
    return await this.#setLimit("pool", value, who);
  }

  /** That operators hold something. */
  causes(): readonly Cause[] {
    const { nowMs, dayMs } = this.#ports;
    const cause = pausedCause(this.#kept.settings.pauses, { nowMs: nowMs(), dayMs: dayMs() });
    return cause === undefined ? [] : [cause];
  }

  get #ratePerSecond(): number | undefined {
    return this.#kept.settings.rate?.value ?? this.#ports.ratePerSecond;
  }

  async #follow(): Promise<void> {
    const { signal } = this.#closing;
    for (;;) {
      await pause(LOOK_EVERY_MS, signal);
      if (signal.aborted) return;
      await this.#inTurn(() => this.#look());
    }
  }

  /** Looks at what is kept, and at how many share it. Returns what went wrong with the first. */
  async #look(): Promise<Error | undefined> {
    const error = await this.#kept.look();
    // Where it cannot be counted the last number counts.
    await this.#count().catch(() => {});
    return error;
  }

  async #count(): Promise<void> {
    const { topics, countPartitions, nowMs } = this.#ports;
    const limited = this.#ratePerSecond !== undefined || this.#kept.settings.pool !== null;
    if (!limited || nowMs() - this.#countedMs < COUNT_EVERY_MS) return;
    const counts = await Promise.all(topics().map(countPartitions));
    this.#countedMs = nowMs();
    const partitions = counts.reduce((sum, each) => sum + each, 0);
    if (partitions === this.#partitions) return;
    this.#partitions = partitions;
    this.#apply();
  }

  #apply(): void {
    const { pauses, pool } = this.#kept.settings;
    this.#ports.apply({
      holds: pauses.map(({ topic, partition }) => ({
        topic: topic ?? undefined,
        partition: partition ?? undefined,
      })),
      ratePerSecond: this.#ratePerSecond,
      permitsMax: pool?.value,
      partitions: this.#partitions,
    });
  }

  async #checkRead({ topic, partition }: Hold): Promise<void> {
    if (topic === undefined) return;
    const topics = this.#ports.topics();
    if (!topics.includes(topic)) {
      throw new NotRead(`The group does not read ${topic}, but ${topics.join(", ") || "nothing yet"}`);
    }
    if (partition === undefined) return;
    const count = await this.#ports.countPartitions(topic);
    if (partition >= count) throw new NotRead(`${topic} has ${count} partitions, the last is ${count - 1}`);
  }

  #setLimit(which: "rate" | "pool", value: number | null, who: Operator): Promise<FlowJson> {
    return this.#change(which, value === null ? "none" : String(value), who, (settings, since) => ({
      ...settings,
      [which]: value === null ? null : { value, ...who, since },
    }));
  }

  async #change(
    action: string,
    what: string,
    who: Operator,
    change: (settings: FlowSettings, since: string) => FlowSettings,
  ): Promise<FlowJson> {
    return await this.#inTurn(async () => {
      const error = await this.#kept.look();
      if (error !== undefined) throw new NotKept(`Kafka does not keep it: ${error.message}`);
      const before = this.#kept.settings;
      const settings = change(before, new Date(this.#ports.dayMs()).toISOString());
      if (settings !== before) await this.#kept.write(settings);
      await this.#count().catch(() => {});
      audit.info("flow changed", { action, what, ...who, version: this.#kept.version });
      return this.now();
    });
  }

  /** One after the other: each begins with what the one before left. */
  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => {});
    return await turn;
  }
}

function setBy(limit: FlowLimit | null): SetBy | null {
  return limit === null ? null : { by: limit.by, from: limit.from, since: limit.since };
}
