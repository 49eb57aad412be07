// A second attempt for one that is late, at another replica: whichever decides first counts, and the other is given up.

import { ruleFor } from "../status_contract.ts";
import type { Answered } from "./attempt.ts";

/** An attempt under way. */
export interface Started {
  /** @throws {AttemptAbandoned} (attempt.ts) when it was given up. */
  readonly answered: Promise<Answered>;
  /** Gives it up: its permit is free. */
  abandon(): void;
}

/**
 * Waits for `first`, and from `waitMs` on for a second one as well, if `begin` has one.
 *
 * Nothing is paid twice: both have the same `Idempotency-Key`, so while the first is being worked on the second gets
 * 409. That decides nothing, and neither does a failure of either: then the other one is waited for.
 */
export async function hedged(
  first: Started,
  begin: () => Started | undefined,
  waitMs: number,
): Promise<Answered> {
  const early = await within(waitMs, first.answered);
  if (early !== undefined) return early;
  const second = begin();
  return second === undefined ? await first.answered : await firstToDecide(first, second);
}

async function firstToDecide(first: Started, second: Started): Promise<Answered> {
  const race = [first, second].map(async (each) => ({ each, answered: await each.answered }));
  // Whoever is given up rejects; so does the race when the caller gives both up.
  race.forEach((one) => one.catch(() => {}));
  const winner = await Promise.race(race);
  const loser = winner.each === first ? second : first;
  if (decides(winner.answered)) {
    loser.abandon();
    return winner.answered;
  }
  const last = await loser.answered;
  // Where neither decides, what the first one came to is what it would have come to without a second.
  return decides(last) || loser === first ? last : winner.answered;
}

function decides({ outcome }: Answered): boolean {
  const { disposition } = ruleFor(outcome);
  return disposition === "settle" || disposition === "dead_letter";
}

async function within<T>(waitMs: number, promise: Promise<T>): Promise<T | undefined> {
  const late = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => late.resolve(undefined), waitMs);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
