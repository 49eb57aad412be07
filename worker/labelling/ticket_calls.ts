// Calls that one ticket may cost, and which of those that came to nothing count against it: none does while the model
// answers nobody usably, so that a broken model makes no dead letters.

import type { Labelling } from "./labeller.ts";

/** Tickets whose last end is remembered. */
const TICKETS_MAX = 20;
/** Other tickets without a single label that show a broken model. */
const BROKEN_FROM = 5;

/** See the file's first line. Remembers a few tickets; the count itself is the store's. */
export class TicketCalls {
  /** Paid calls without a usable label after which a ticket gets no more. */
  readonly max: number;
  /** By ticket, the latest last: whether its last paid answer was usable. */
  readonly #ends = new Map<string, boolean>();

  constructor(max: number) {
    this.max = max;
  }

  /** Notes how a ticket ended, and answers how many calls count against it. */
  record(ticketId: string, labelling: Labelling): number {
    const calls = labelling.kind === "labelled" ? 0 : labelling.calls;
    if (labelling.kind !== "labelled" && calls === 0) return 0;
    this.#ends.delete(ticketId);
    this.#ends.set(ticketId, labelling.kind === "labelled");
    const [oldest] = this.#ends.keys();
    if (this.#ends.size > TICKETS_MAX && oldest !== undefined) this.#ends.delete(oldest);
    return this.#isModelBroken(ticketId) ? 0 : calls;
  }

  #isModelBroken(ticketId: string): boolean {
    const others = [...this.#ends].filter(([id]) => id !== ticketId);
    return others.length >= BROKEN_FROM && others.every(([, usable]) => !usable);
  }
}
