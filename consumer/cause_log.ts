// CauseLog: logs each cause once when it begins and once when it ends, and when delivery goes on.

import { logger } from "../shared/log.ts";
import type { Cause } from "../shared/http/health.ts";

const log = logger("consumer");

/** Causes that the part that finds them logs itself, at once and whenever their words change. */
const LOGGED_ELSEWHERE = /^(joining|kafka-.*|topic-missing|dead-letters-unread|partitions-unreadable)$/;

/** Compares what there is with what there was at the last look. */
export class CauseLog {
  readonly #known: Map<string, Cause> = new Map();
  /** Since when there has been one cause or another, in ms. */
  #heldSinceMs: number | undefined;

  /** Takes a look. @param nowMs as the causes' own times. */
  look(causes: readonly Cause[], nowMs: number): void {
    const ended = [...this.#known.values()].filter((each) => !causes.some(({ name }) => name === each.name));
    for (const { name } of ended) this.#known.delete(name);
    const begun = causes.filter(({ name }) => !this.#known.has(name));
    for (const cause of begun) this.#begin(cause);
    const rest = this.#known.size;
    if (rest > 0) {
      for (const { name, sinceMs } of ended) {
        log.info("cause over", { cause: name, afterMs: Math.round(nowMs - sinceMs) });
      }
      return;
    }
    if (this.#heldSinceMs === undefined) return;
    const afterMs = Math.round(nowMs - this.#heldSinceMs);
    this.#heldSinceMs = undefined;
    log.info("delivery goes on", { afterMs, after: ended.map(({ name }) => name).join(", ") });
  }

  #begin(cause: Cause): void {
    const { name, sinceMs, detail, remedy } = cause;
    this.#known.set(name, cause);
    // Joining is how every consumer begins: nothing went on before.
    if (name !== "joining") this.#heldSinceMs = Math.min(this.#heldSinceMs ?? Infinity, sinceMs);
    if (!LOGGED_ELSEWHERE.test(name)) log.warn("cause", { cause: name, detail, remedy });
  }
}
