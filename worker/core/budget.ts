// Budget of a day, and what a completion costs.

import type { ModelPrice } from "../../shared/config/schemas.ts";
import type { Usage } from "./llm.ts";

/** Limits of a day (UTC); undefined is no limit. */
export interface Budget {
  readonly tokensPerDay: number | undefined;
  readonly usdPerDay: number | undefined;
}

/** What was used in one day. */
export interface Spend {
  /** `2026-11-21`. */
  readonly day: string;
  readonly tokens: number;
  readonly usd: number;
}

/** The day of an instant, in UTC. */
export function dayOf(nowMs: number): string {
  return new Date(nowMs).toISOString().slice(0, 10);
}

/** Milliseconds until the next day begins. */
export function untilTomorrowMs(nowMs: number): number {
  const DAY_MS = 86_400_000;
  return DAY_MS - (nowMs % DAY_MS);
}

/** Which limit has been reached, in words; undefined while there is something left. */
export function budgetReached(
  { tokensPerDay, usdPerDay }: Budget,
  { tokens, usd }: Spend,
): string | undefined {
  if (tokensPerDay !== undefined && tokens >= tokensPerDay) {
    return `TOKENS_PER_DAY is reached: ${tokens} of ${tokensPerDay} tokens are used`;
  }
  if (usdPerDay !== undefined && usd >= usdPerDay) {
    return `USD_PER_DAY is reached: ${usd.toFixed(4)} of ${usdPerDay} US dollars are spent`;
  }
  return undefined;
}

/** US dollars for what was used; null where no price is known for the model. */
export function costUsd(
  prices: readonly ModelPrice[],
  { model, inputTokens, cachedTokens = 0, outputTokens }: Usage,
): number | null {
  const fitting = prices.filter((price) => model.startsWith(price.model));
  const price = fitting.toSorted((a, b) => b.model.length - a.model.length)[0];
  if (price === undefined) return null;
  const cachedUsd = cachedTokens * (price.cachedInputUsd ?? price.inputUsd);
  return ((inputTokens - cachedTokens) * price.inputUsd + cachedUsd + outputTokens * price.outputUsd) /
    1_000_000;
}
