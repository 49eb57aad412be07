// The spend ledger: what all workers together spent, by day and model, added to the database every second so that it is
// kept and a budget holds across replicas.

import { type Budget, budgetReached, dayOf, type Spend } from "../core/budget.ts";
import type { Usage } from "../core/llm.ts";
import type { Database } from "./database.ts";

const FLUSH_EVERY_MS = 1_000;

/** The sums are those before: a statement does not see what it adds. */
const ADD = `
  with i as materialized (
    select * from json_to_recordset($1::text::json) as i(day date, model text, calls bigint, input_tokens bigint,
      output_tokens bigint, usd double precision, unpriced_calls bigint)
  ), added as (
    insert into ackpool.spend as s (day, model, calls, input_tokens, output_tokens, tokens, usd, unpriced_calls)
    select day, model, calls, input_tokens, output_tokens, input_tokens + output_tokens, usd, unpriced_calls
    from i order by day, model
    on conflict on constraint spend_pkey do update set calls = s.calls + excluded.calls,
      input_tokens = s.input_tokens + excluded.input_tokens, output_tokens = s.output_tokens + excluded.output_tokens,
      tokens = s.tokens + excluded.tokens, usd = s.usd + excluded.usd,
      unpriced_calls = s.unpriced_calls + excluded.unpriced_calls
  )
  select coalesce(sum(tokens), 0)::text as tokens, coalesce(sum(usd), 0)::double precision as usd
  from ackpool.spend where day = $2::date`;

/** What was noted of one model on one day. */
interface Noted {
  readonly day: string;
  readonly model: string;
  readonly calls: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly usd: number;
  readonly unpriced_calls: number;
}

/** Between two flushes a replica can overdraw by what it has in flight and no more. */
export class SpendLedger {
  readonly #database: Database;
  readonly #budget: Budget;
  readonly #nowMs: () => number;
  /** The day's total at the last flush, all workers included. */
  #known: Spend;
  /** What is not in the database yet, by day and model. */
  #noted = new Map<string, Noted>();
  #flushing: Promise<void> | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(database: Database, budget: Budget, nowMs: () => number) {
    this.#database = database;
    this.#budget = budget;
    this.#nowMs = nowMs;
    this.#known = { day: dayOf(nowMs()), tokens: 0, usd: 0 };
  }

  /** Begins to flush. */
  start(): void {
    this.#timer ??= setInterval(() => void this.flush(), FLUSH_EVERY_MS);
    void this.flush();
  }

  /** Notes a billed call; `usd` is null where no price is known. */
  add(usage: Usage, usd: number | null): void {
    this.#note({
      day: dayOf(this.#nowMs()),
      model: usage.askedModel ?? usage.model,
      calls: 1,
      input_tokens: usage.inputTokens,
      output_tokens: usage.outputTokens,
      usd: usd ?? 0,
      unpriced_calls: usd === null ? 1 : 0,
    });
  }

  /** Which limit has been reached, in words. */
  reached(): string | undefined {
    const { day, tokens, usd } = this.#today();
    const pending = sumOf(this.#noted.values(), day);
    return budgetReached(this.#budget, { day, tokens: tokens + pending.tokens, usd: usd + pending.usd });
  }

  /** Adds what was noted to the database and learns what the others spent. What cannot be added now is added later. */
  async flush(): Promise<void> {
    await this.#flushing;
    this.#flushing = this.#flush();
    await this.#flushing;
  }

  /** A last flush. May be called twice. */
  async close(): Promise<void> {
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    await this.flush();
  }

  async #flush(): Promise<void> {
    const { tokensPerDay, usdPerDay } = this.#budget;
    const isBudget = tokensPerDay !== undefined || usdPerDay !== undefined;
    // Without a budget nobody needs to know what the others spent.
    if (this.#noted.size === 0 && !isBudget) return;
    const before = this.#today();
    const { day } = before;
    const noted = [...this.#noted.values()];
    this.#noted = new Map();
    const added = sumOf(noted, day);
    // Counted as known until the answer is here, so that no call slips through in between.
    this.#known = { day, tokens: before.tokens + added.tokens, usd: before.usd + added.usd };
    try {
      const [row] = await this.#database.run<{ tokens: string; usd: number }>(ADD, [
        JSON.stringify(noted),
        day,
      ]);
      if (row !== undefined && this.#known.day === day) {
        this.#known = { day, tokens: Number(row.tokens) + added.tokens, usd: row.usd + added.usd };
      }
    } catch {
      for (const each of noted) this.#note(each);
      if (this.#known.day === day) this.#known = before;
    }
  }

  #note(added: Noted): void {
    const name = `${added.day} ${added.model}`;
    const { calls = 0, input_tokens = 0, output_tokens = 0, usd = 0, unpriced_calls = 0 } =
      this.#noted.get(name) ?? {};
    this.#noted.set(name, {
      ...added,
      calls: calls + added.calls,
      input_tokens: input_tokens + added.input_tokens,
      output_tokens: output_tokens + added.output_tokens,
      usd: usd + added.usd,
      unpriced_calls: unpriced_calls + added.unpriced_calls,
    });
  }

  #today(): Spend {
    const day = dayOf(this.#nowMs());
    if (day !== this.#known.day) this.#known = { day, tokens: 0, usd: 0 };
    return this.#known;
  }
}

function sumOf(noted: Iterable<Noted>, day: string): { readonly tokens: number; readonly usd: number } {
  let [tokens, usd] = [0, 0];
  for (const each of noted) {
    if (each.day !== day) continue;
    tokens += each.input_tokens + each.output_tokens;
    usd += each.usd;
  }
  return { tokens, usd };
}
