// DecisionFeed: hands decisions to those who watch live; a slow one loses some and is told how many.

import type { Decision } from "./records/decision.ts";

/** Decisions that wait for one reader, at most. */
const WAITING_MAX = 1000;

/** Those that a reader wants to see. */
export type DecisionFilter = (decision: Decision) => boolean;

/** What has come since a reader was last handed something. */
export interface Handful {
  readonly decisions: readonly Decision[];
  /** Decisions that were left out before these, as the reader was too slow. */
  readonly lost: number;
}

/** Publishes to its readers. Without one it costs a comparison. */
export class DecisionFeed {
  readonly #readers: Set<FeedReader> = new Set();

  /** Whether anybody watches. */
  get watched(): boolean {
    return this.#readers.size > 0;
  }

  publish(decision: Decision): void {
    for (const reader of this.#readers) reader.offer(decision);
  }

  /** A reader, until `close()`. */
  subscribe(wants: DecisionFilter): FeedReader {
    const reader = new FeedReader(wants, () => this.#readers.delete(reader));
    this.#readers.add(reader);
    return reader;
  }
}

/** One who watches. */
export class FeedReader {
  readonly #wants: DecisionFilter;
  readonly #leave: () => void;
  #waiting: Decision[] = [];
  #lost = 0;
  #arrived = Promise.withResolvers<void>();

  constructor(wants: DecisionFilter, leave: () => void) {
    this.#wants = wants;
    this.#leave = leave;
  }

  offer(decision: Decision): void {
    if (!this.#wants(decision)) return;
    if (this.#waiting.length >= WAITING_MAX) this.#lost += 1;
    else this.#waiting.push(decision);
    this.#arrived.resolve();
  }

  /** Resolves when something waits for it. */
  get arrived(): Promise<void> {
    return this.#arrived.promise;
  }

  /** Everything that waits. */
  take(): Handful {
    const handful = { decisions: this.#waiting, lost: this.#lost };
    this.#waiting = [];
    this.#lost = 0;
    this.#arrived = Promise.withResolvers();
    return handful;
  }

  close(): void {
    this.#leave();
  }
}
