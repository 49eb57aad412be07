// Hedging: a second attempt at another replica for one that is late. The first that decides counts, the other is abandoned.

import { RequestHeader } from "../../contract/protocol.ts";
import { ruleFor } from "../../contract/status_contract.ts";
import type { Answered, AttemptRequest } from "./buffered.ts";
import type { Replica } from "../replicas/replica.ts";
import { within } from "../../wait.ts";

/** An attempt under way. */
export interface StartedAttempt {
  /** @throws {AttemptAbandoned} when it was given up. */
  readonly answered: Promise<Answered>;
  /** Gives it up: its permit is free. */
  abandon(): void;
}

/** Most second attempts at once, as a share of the permits: if everything is slow, nothing is a straggler. */
const SHARE_MAX = 0.1;

/** What a {@link Hedger} works with. */
export interface HedgerPorts {
  /** An attempt without an answer for so long is a straggler, in ms; undefined: none is. */
  readonly hedgeMs: number | undefined;
  /** Permits of the pool. */
  readonly permits: () => number;
  /** Begins an attempt at another replica than this one; undefined where no permit is free there. */
  readonly beginElsewhere: (except: Replica, attempt: AttemptRequest) => StartedAttempt | undefined;
  /** A second attempt has begun or ended. */
  readonly changed: () => void;
}

/** Sends second attempts, and counts them. */
export class Hedger {
  readonly #ports: HedgerPorts;
  #inFlight = 0;
  #counts = { sent: 0, won: 0 };

  constructor(ports: HedgerPorts) {
    this.#ports = ports;
  }

  /** Second attempts on their way: they hold permits that their callers do not know of. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Second attempts since the start, and those that settled. */
  get counts(): { readonly sent: number; readonly won: number } {
    return this.#counts;
  }

  /** Whether a second attempt may be made of it: without a key it would be paid for. */
  takes({ headers }: AttemptRequest): boolean {
    return this.#ports.hedgeMs !== undefined && headers[RequestHeader.idempotencyKey] !== undefined;
  }

  /** Waits for an attempt that has just begun at `replica`, with a second one where it is late. */
  async watch(first: StartedAttempt, replica: Replica, attempt: AttemptRequest): Promise<Answered> {
    const untilMs = performance.now() + attempt.timeoutMs;
    const begin = () => this.#begin(replica, { ...attempt, timeoutMs: untilMs - performance.now() });
    return await hedged(first, begin, this.#ports.hedgeMs ?? attempt.timeoutMs);
  }

  #begin(except: Replica, attempt: AttemptRequest): StartedAttempt | undefined {
    const most = Math.max(1, this.#ports.permits() * SHARE_MAX);
    if (this.#inFlight >= most || attempt.timeoutMs <= 0) return undefined;
    const second = this.#ports.beginElsewhere(except, attempt);
    if (second === undefined) return undefined;
    this.#inFlight += 1;
    this.#counts = { ...this.#counts, sent: this.#counts.sent + 1 };
    this.#ports.changed();
    return { ...second, answered: this.#count(second.answered) };
  }

  async #count(answering: Promise<Answered>): Promise<Answered> {
    try {
      const answered = await answering;
      if (ruleFor(answered.outcome).disposition !== "settle") return answered;
      this.#counts = { ...this.#counts, won: this.#counts.won + 1 };
      return answered;
    } finally {
      this.#inFlight -= 1;
      this.#ports.changed();
    }
  }
}

/**
 * Waits for `first`, and from `waitMs` on for a second one as well, if `begin` has one.
 *
 * Nothing is paid twice: both have the same `Idempotency-Key`, so while the first is being worked on the second gets
 * 409. That decides nothing, and neither does a failure of either: then the other one is waited for.
 */
export async function hedged(
  first: StartedAttempt,
  begin: () => StartedAttempt | undefined,
  waitMs: number,
): Promise<Answered> {
  if (await within(waitMs, first.answered)) return await first.answered;
  const second = begin();
  return second === undefined ? await first.answered : await firstToDecide(first, second);
}

async function firstToDecide(first: StartedAttempt, second: StartedAttempt): Promise<Answered> {
  const race = [first, second].map(async (each) => ({ each, answered: await each.answered }));
  // An abandoned attempt rejects. If the caller abandons both, the race rejects as well.
  race.forEach((one) => one.catch(() => {}));
  const winner = await Promise.race(race);
  const loser = winner.each === first ? second : first;
  if (decides(winner.answered)) {
    loser.abandon();
    return winner.answered;
  }
  const last = await loser.answered;
  // If neither decides, the first one's outcome counts: it is what would have come without a second attempt.
  return decides(last) || loser === first ? last : winner.answered;
}

function decides({ outcome }: Answered): boolean {
  const { disposition } = ruleFor(outcome);
  return disposition === "settle" || disposition === "dead_letter";
}
