// The phases of the pool campaign: which fault which replica has, for how long, and when it has recovered.

import { until } from "../../support/until.ts";
import { type Notice, openPosts, type Phase } from "./measures.ts";
import type { PoolReplica } from "./replica.ts";
import type { PoolStage } from "./setup.ts";

/** An address is gone after the second answer that lacks it; between them its time to live is asked for. */
const GONE_AFTER_ANSWERS = 3;

const BACK_MAX_MS = 60_000;

/** How long the phases are, and how slow is slow. */
export interface PoolActOptions {
  /** Replicas behind the name at first: 0 and so on; the next one joins and leaves. */
  readonly replicas: number;
  readonly concurrency: number;
  readonly phaseSeconds: number;
  readonly rejectingSeconds: number;
  readonly slower: number;
  readonly report: (what: string) => void;
}

/** What the phases are called on the command line, in their order; a replica leaves that joined before. */
export const PHASES = ["steady", "join", "leave", "kill", "freeze", "slow", "reject", "drain"] as const;
export type PhaseName = (typeof PHASES)[number];

/** Plays one phase at a time; each ends with every replica busy again. */
export class PoolAct {
  constructor(private readonly stage: PoolStage, private readonly options: PoolActOptions) {}

  /** Nothing happens. */
  readonly steady = async (): Promise<Phase> => {
    await this.#untilBusy(this.#named, Date.now());
    return await this.#measured("nothing happens", this.#named);
  };

  /** One more replica is behind the name. */
  readonly join = async (): Promise<Phase> => {
    const { replicas } = this.options;
    const all = [...this.#named, replicas];
    const toldMs = await this.stage.name(all);
    const backInMs = await this.#untilBusy([replicas], toldMs);
    return { ...await this.#measured("one joins", all), backInMs };
  };

  /** It leaves the name and goes on running. */
  readonly leave = async (): Promise<Phase> => {
    const atMs = await this.stage.name(this.#named, GONE_AFTER_ANSWERS);
    const phase = await this.#measured("it leaves the name", this.#named);
    return { ...phase, notice: { replica: this.options.replicas, atMs, untilMs: Infinity } };
  };

  /** One is killed with -9, and started again later. */
  readonly kill = async (): Promise<Phase> => {
    const replica = this.stage.replica(0);
    const phase = await this.#without(replica, "one is killed with -9", () => replica.kill());
    return await this.#andBack(phase, replica, () => replica.start());
  };

  /** One is stopped with SIGSTOP, and continued later. */
  readonly freeze = async (): Promise<Phase> => {
    const replica = this.stage.replica(1);
    const phase = await this.#without(replica, "one is stopped with SIGSTOP", () => replica.freeze());
    return await this.#andBack(phase, replica, () => replica.thaw());
  };

  /** One becomes slower. */
  readonly slow = async (): Promise<Phase> => {
    const { slower } = this.options;
    const replica = this.stage.replica(2);
    const phase = await this.#without(
      replica,
      `one is ${slower} times slower`,
      () => replica.slowDown(slower),
    );
    return await this.#andBack(phase, replica, () => replica.slowDown(1));
  };

  /** A build that is ready and answers 500 takes one's place. */
  readonly reject = async (): Promise<Phase> => {
    const { rejectingSeconds } = this.options;
    const replica = this.stage.replica(0);
    await replica.rollOutBadBuild();
    const phase = await this.#without(replica, "one answers 500", () => {}, rejectingSeconds);
    return await this.#andBack(phase, replica, () => replica.rollBack());
  };

  /** One gets SIGTERM, ends, and is started again later. */
  readonly drain = async (): Promise<Phase> => {
    const replica = this.stage.replica(1);
    let atMs = Infinity;
    const phase = await this.#without(replica, "one drains (SIGTERM)", async () => {
      const sinceMs = Date.now();
      await replica.drain();
      atMs = this.#toldByItself(replica.index, sinceMs) ?? Date.now();
    });
    const untilMs = Date.now();
    const notice: Notice = { replica: replica.index, atMs, untilMs };
    return { ...await this.#andBack(phase, replica, () => replica.start()), notice };
  };

  get #named(): readonly number[] {
    return Array.from({ length: this.options.replicas }, (_, index) => index);
  }

  async #without(
    { index }: PoolReplica,
    name: string,
    befall: () => void | Promise<void>,
    seconds?: number,
  ): Promise<Phase> {
    const healthy = this.#named.filter((each) => each !== index);
    return await this.#measured(name, healthy, seconds, befall);
  }

  /** The phase lasts its time from the beginning of what happens in it. */
  async #measured(
    name: string,
    healthy: readonly number[],
    seconds: number = this.options.phaseSeconds,
    befall: () => void | Promise<void> = () => {},
  ): Promise<Phase> {
    this.options.report(`${name}: ${seconds} s`);
    const fromMs = Date.now();
    await befall();
    await new Promise((resolve) => setTimeout(resolve, fromMs + seconds * 1000 - Date.now()));
    return { name, fromMs, toMs: Date.now(), healthy };
  }

  async #andBack(phase: Phase, { index }: PoolReplica, mend: () => void | Promise<void>): Promise<Phase> {
    await mend();
    return { ...phase, backInMs: await this.#untilBusy([index], Date.now()) };
  }

  /** Waits until each of these replicas had all its permits in use at once; how long that took, in ms. */
  async #untilBusy(indices: readonly number[], sinceMs: number): Promise<number> {
    const { journal } = this.stage;
    const waiting = new Set(indices);
    await until(`work for all permits of replica ${indices.join(", ")}`, () => {
      for (const index of waiting) {
        if (openPosts(journal.posts, index, sinceMs) >= this.options.concurrency) waiting.delete(index);
      }
      return waiting.size === 0;
    }, { timeoutMs: BACK_MAX_MS, everyMs: 20 });
    return Date.now() - sinceMs;
  }

  /** When a replica first answered 503. */
  #toldByItself(index: number, sinceMs: number): number | undefined {
    const drained = this.stage.journal.posts.filter(({ replica, sentAtMs, answer }) =>
      replica === index && sentAtMs >= sinceMs && answer?.status === 503
    );
    return drained.length === 0
      ? undefined
      : Math.min(...drained.map(({ answer }) => answer?.atMs ?? Infinity));
  }
}
