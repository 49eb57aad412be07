// Rate limit of each client: one bucket, and the header fields that say what is left in it.

const WINDOW_MS = 60_000;
/** Clients that are remembered; beyond them the one that was silent the longest starts anew. */
const CLIENTS_MAX = 10_000;

/** One call counted. */
export interface Counted {
  readonly allowed: boolean;
  /** Calls left now. */
  readonly remaining: number;
  /** Until the bucket is full again, in s. */
  readonly fullInSeconds: number;
  /** Until the next call is allowed, in s; 0 where one is. */
  readonly retryAfterSeconds: number;
}

/**
 * The generic cell rate algorithm: of every client one number is kept, the time at which its bucket is full again.
 * Time comes in.
 */
export class ClientRateLimit {
  readonly #perMinute: number;
  readonly #clientsMax: number;
  /** In the order of the latest call. */
  readonly #fullAtMs: Map<string, number> = new Map();

  constructor(perMinute: number, clientsMax: number = CLIENTS_MAX) {
    this.#perMinute = perMinute;
    this.#clientsMax = clientsMax;
  }

  /** Clients that are remembered. */
  get clients(): number {
    return this.#fullAtMs.size;
  }

  /** Counts a call; one that is refused costs nothing. */
  take(client: string, nowMs: number): Counted {
    const costMs = WINDOW_MS / this.#perMinute;
    const usedMs = Math.max(0, (this.#fullAtMs.get(client) ?? 0) - nowMs);
    const allowed = usedMs + costMs <= WINDOW_MS;
    const afterMs = allowed ? usedMs + costMs : usedMs;
    this.#remember(client, nowMs + afterMs, nowMs);
    return {
      allowed,
      remaining: Math.floor((WINDOW_MS - afterMs) / costMs),
      fullInSeconds: Math.ceil(afterMs / 1000),
      retryAfterSeconds: allowed ? 0 : Math.max(1, Math.ceil((usedMs + costMs - WINDOW_MS) / 1000)),
    };
  }

  /** `RateLimit-Policy` and `RateLimit`: draft-ietf-httpapi-ratelimit-headers-10, sections 3 and 4. */
  headers({ remaining, fullInSeconds }: Counted): Record<string, string> {
    return {
      "ratelimit-policy": `"client";q=${this.#perMinute};w=${WINDOW_MS / 1000}`,
      "ratelimit": `"client";r=${remaining};t=${fullInSeconds}`,
    };
  }

  #remember(client: string, fullAtMs: number, nowMs: number): void {
    this.#fullAtMs.delete(client);
    this.#fullAtMs.set(client, fullAtMs);
    // Those at the front were silent the longest; a client whose bucket is full need not be remembered.
    for (const [oldest, fullMs] of this.#fullAtMs) {
      if (fullMs > nowMs && this.#fullAtMs.size <= this.#clientsMax) return;
      this.#fullAtMs.delete(oldest);
    }
  }
}
