// CauseLog: logs each cause once when it begins and once when it ends, and when delivery goes on.

import { logger } from "../shared/log.ts";
import type { Cause } from "../shared/http/health.ts";

const log = logger("consumer");

/** Causes that the part that finds them logs itself, at once and whenever their words change. */
const LOGGED_ELSEWHERE = /^(joining|kafka-.*|topic-missing|dead-letters-unread|partitions-unreadable)$/;

/** What is over so soon is not told, in ms: a pool that was at zero has its first replica by then. */
const TOLD_AFTER_MS = 2000;
/** A cause may be older than the trouble: a pool is empty for hours before a record comes. Looks are a second apart. */
const SEEN_AFTER_MS = 1000;

interface Known {
  /** Since when it has held delivery up, in ms. */
  readonly sinceMs: number;
  told: boolean;
}

/** Compares what there is with what there was at the last look. */
export class CauseLog {
  readonly #known: Map<string, Known> = new Map();
  /** Since when there has been one told cause or another, in ms. */
  #heldSinceMs: number | undefined;

  /** Takes a look. @param nowMs as the causes' own times. */
  look(causes: readonly Cause[], nowMs: number): void {
    const ended = [...this.#known].filter(([known]) => !causes.some(({ name }) => name === known));
    for (const [name] of ended) this.#known.delete(name);
    for (const cause of causes) this.#see(cause, nowMs);
    const over = ended.filter(([, { told }]) => told);
    if ([...this.#known.values()].some(({ told }) => told)) {
      for (const [name, { sinceMs }] of over) {
        log.info("cause over", { cause: name, afterMs: nowMs - sinceMs });
      }
      return;
    }
    if (this.#heldSinceMs === undefined) return;
    const afterMs = nowMs - this.#heldSinceMs;
    this.#heldSinceMs = undefined;
    log.info("delivery goes on", { afterMs, after: over.map(([name]) => name).join(", ") });
  }

  #see(cause: Cause, nowMs: number): void {
    const { name, detail, remedy } = cause;
    const sinceMs = Math.max(cause.sinceMs, nowMs - SEEN_AFTER_MS);
    const known = this.#known.get(name) ?? { sinceMs, told: false };
    this.#known.set(name, known);
    // Joining is how every consumer begins: nothing went on before.
    if (known.told || name === "joining" || nowMs - known.sinceMs < TOLD_AFTER_MS) return;
    known.told = true;
    this.#heldSinceMs = Math.min(this.#heldSinceMs ?? Infinity, known.sinceMs);
    if (!LOGGED_ELSEWHERE.test(name)) log.warn("cause", { cause: name, detail, remedy });
  }
}
