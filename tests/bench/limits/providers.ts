// Simulated providers: what each does with a request, in virtual time, with every number from a seed.

import type { Outcome } from "../../../shared/contract/outcome.ts";
import type { RateReport } from "../../../shared/pool/limits/rate_limit_headers.ts";
import { DueQueue } from "../../../consumer/core/structures/due_queue.ts";

/** One answer. */
export interface ProviderAnswer {
  readonly outcome: Outcome;
  readonly report?: RateReport;
}

/** A provider in virtual time. */
export interface Provider {
  /** A request comes; `answer` is called later, from {@link advance}, or at once with a refusal to be delivered then. */
  request(nowMs: number, answer: (answer: ProviderAnswer) => void): void;
  /** When something happens next, in ms. */
  nextMs(): number;
  /** Lets what is due happen. */
  advance(nowMs: number): void;
  /** From now on it has only this share of what it can do. */
  setShare(share: number, nowMs: number): void;
}

const OK: Outcome = { kind: "answer", status: 200 };
/** Time a refusal takes, in ms: what fixed limits spend on asking over and over. */
const REFUSAL_MS = 40;

/** Latencies of an LLM: lognormal, sigma 1, with a median of 250 ms and at most 8 s. */
export function lognormalMs(random: () => number): number {
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return Math.min(8000, 250 * Math.exp(normal));
}

function limited(retryAfterMs: number): Outcome {
  return { kind: "answer", status: 429, retryAfterMs };
}

/** What all have: requests that end at a known time. */
abstract class Timed implements Provider {
  protected readonly due = new DueQueue<() => void>();
  protected share = 1;

  constructor(protected readonly random: () => number) {}

  abstract request(nowMs: number, answer: (answer: ProviderAnswer) => void): void;

  nextMs(): number {
    return this.due.nextMs ?? Infinity;
  }

  advance(nowMs: number): void {
    for (let end = this.due.takeDue(nowMs); end !== undefined; end = this.due.takeDue(nowMs)) end();
  }

  setShare(share: number, _nowMs: number): void {
    this.share = share;
  }
}

/** Takes so many at once; one more gets 429. */
export class HardCap extends Timed {
  #active = 0;

  constructor(random: () => number, readonly cap: number) {
    super(random);
  }

  request(nowMs: number, answer: (answer: ProviderAnswer) => void): void {
    if (this.#active >= Math.round(this.cap * this.share)) {
      return this.due.push(nowMs + REFUSAL_MS, () => answer({ outcome: limited(1000) }));
    }
    this.#active += 1;
    this.due.push(nowMs + lognormalMs(this.random), () => {
      this.#active -= 1;
      answer({ outcome: OK });
    });
  }
}

/** Takes so many a minute, a second's worth of them at once, as OpenAI says that it does; says so in headers, or not. */
export class RateBucket extends Timed {
  #tokens: number;
  #filledMs = 0;

  constructor(random: () => number, readonly perMinute: number, readonly headers: boolean) {
    super(random);
    this.#tokens = this.#capacity;
  }

  get #capacity(): number {
    return Math.max(1, this.perMinute / 60);
  }

  request(nowMs: number, answer: (answer: ProviderAnswer) => void): void {
    const rate = this.perMinute * this.share / 60_000;
    this.#tokens = Math.min(this.#capacity, this.#tokens + rate * (nowMs - this.#filledMs));
    this.#filledMs = nowMs;
    const taken = this.#tokens >= 1;
    if (taken) this.#tokens -= 1;
    const remaining = Math.floor(this.#tokens);
    const report = {
      remaining,
      limit: this.#capacity,
      resetMs: (this.#capacity - this.#tokens) / rate,
      windowMs: undefined,
    };
    const reported = this.headers ? { report } : {};
    const retryAfterMs = 1000 * Math.ceil((1 - this.#tokens) / rate / 1000);
    this.due.push(
      nowMs + (taken ? lognormalMs(this.random) : REFUSAL_MS),
      () => answer({ outcome: taken ? OK : limited(retryAfterMs), ...reported }),
    );
  }
}

/** Takes so many in each minute by the clock, all of them in its first second if they come. */
export class RateWindow extends Timed {
  #minute = -1;
  #left = 0;

  constructor(random: () => number, readonly perMinute: number, readonly headers: boolean) {
    super(random);
  }

  get #most(): number {
    return Math.round(this.perMinute * this.share);
  }

  /** What there is of this minute becomes less, or more again, at once. */
  override setShare(share: number, nowMs: number): void {
    const before = this.#most;
    super.setShare(share, nowMs);
    this.#left = Math.max(0, this.#left + this.#most - before);
  }

  request(nowMs: number, answer: (answer: ProviderAnswer) => void): void {
    const minute = Math.floor(nowMs / 60_000);
    if (minute !== this.#minute) [this.#minute, this.#left] = [minute, this.#most];
    const taken = this.#left > 0;
    if (taken) this.#left -= 1;
    const resetMs = (minute + 1) * 60_000 - nowMs;
    const report = { remaining: this.#left, limit: this.perMinute, resetMs, windowMs: undefined };
    const reported = this.headers ? { report } : {};
    const refusal = limited(1000 * Math.ceil(resetMs / 1000));
    this.due.push(
      nowMs + (taken ? lognormalMs(this.random) : REFUSAL_MS),
      () => answer({ outcome: taken ? OK : refusal, ...reported }),
    );
  }
}

/** Refuses nobody, but works the slower the more it has: all requests share its speed, which falls past a knee. */
export class Knee implements Provider {
  readonly #random: () => number;
  readonly #knee: number;
  readonly #steepness: number;
  #share = 1;
  #active = 0;
  /** Work that every request has had since the beginning, in ms at full speed; a request ends at its own mark. */
  #work = 0;
  #workedMs = 0;
  readonly #marks = new DueQueue<() => void>();

  constructor(random: () => number, knee: number, steepness: number) {
    this.#random = random;
    this.#knee = knee;
    this.#steepness = steepness;
  }

  request(nowMs: number, answer: (answer: ProviderAnswer) => void): void {
    this.#workUntil(nowMs);
    this.#active += 1;
    this.#marks.push(this.#work + lognormalMs(this.#random), () => {
      this.#active -= 1;
      answer({ outcome: OK });
    });
  }

  nextMs(): number {
    const mark = this.#marks.nextMs;
    return mark === undefined ? Infinity : this.#workedMs + Math.max(0, mark - this.#work) / this.#speed();
  }

  advance(nowMs: number): void {
    this.#workUntil(nowMs);
    for (let end = this.#due(); end !== undefined; end = this.#due()) end();
  }

  setShare(share: number, nowMs: number): void {
    this.#workUntil(nowMs);
    this.#share = share;
  }

  #due(): (() => void) | undefined {
    return this.#marks.takeDue(this.#work + 1e-6);
  }

  #workUntil(nowMs: number): void {
    this.#work += (nowMs - this.#workedMs) * this.#speed();
    this.#workedMs = nowMs;
  }

  #speed(): number {
    return 1 / (1 + (this.#active / (this.#knee * this.#share)) ** this.#steepness);
  }
}
