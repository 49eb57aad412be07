// The spend ledger: what all workers together spent today, added to the database every second so that the budget holds across replicas.

import { type Budget, budgetReached, dayOf, type Spend } from "../core/budget.ts";
import type { Database } from "./database.ts";

const FLUSH_EVERY_MS = 1_000;

const ADD = `
  insert into ackpool.spend as s (day, tokens, usd) values ($1::date, $2::bigint, $3::double precision)
  on conflict on constraint spend_pkey do update set tokens = s.tokens + excluded.tokens, usd = s.usd + excluded.usd
  returning s.tokens::text, s.usd`;

/** Between two flushes a replica can overdraw by what it has in flight and no more. */
export class SpendLedger {
  readonly #database: Database;
  readonly #budget: Budget;
  readonly #nowMs: () => number;
  /** The day's total at the last flush, all workers included. */
  #known: Spend;
  #tokens = 0;
  #usd = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(database: Database, budget: Budget, nowMs: () => number) {
    this.#database = database;
    this.#budget = budget;
    this.#nowMs = nowMs;
    this.#known = { day: dayOf(nowMs()), tokens: 0, usd: 0 };
  }

  /** Begins to flush; without a budget there is nothing to keep in step. */
  start(): void {
    if (this.#budget.tokensPerDay === undefined && this.#budget.usdPerDay === undefined) return;
    this.#timer ??= setInterval(() => void this.flush(), FLUSH_EVERY_MS);
    void this.flush();
  }

  /** Notes what was used. */
  add(tokens: number, usd: number): void {
    this.#turnDay();
    this.#tokens += tokens;
    this.#usd += usd;
  }

  /** Which limit has been reached, in words. */
  reached(): string | undefined {
    this.#turnDay();
    const { day, tokens, usd } = this.#known;
    return budgetReached(this.#budget, { day, tokens: tokens + this.#tokens, usd: usd + this.#usd });
  }

  /** Adds what was noted to the database and learns what the others spent. What cannot be added now is added later. */
  async flush(): Promise<void> {
    this.#turnDay();
    const [day, added, addedUsd] = [this.#known.day, this.#tokens, this.#usd];
    this.#tokens = 0;
    this.#usd = 0;
    // Counted as known until the answer is here, so that no call slips through in between.
    const before = this.#known;
    this.#known = { day, tokens: before.tokens + added, usd: before.usd + addedUsd };
    try {
      const [row] = await this.#database.run<{ tokens: string; usd: number }>(ADD, [day, added, addedUsd]);
      if (row !== undefined && this.#known.day === day) {
        this.#known = { day, tokens: Number(row.tokens), usd: row.usd };
      }
    } catch {
      if (this.#known.day !== day) return;
      this.#known = before;
      this.#tokens += added;
      this.#usd += addedUsd;
    }
  }

  /** A last flush. May be called twice. */
  async close(): Promise<void> {
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    await this.flush();
  }

  #turnDay(): void {
    const day = dayOf(this.#nowMs());
    if (day === this.#known.day) return;
    this.#known = { day, tokens: 0, usd: 0 };
    this.#tokens = 0;
    this.#usd = 0;
  }
}
