// The rest that the provider behind all replicas asks for: its timer, since when it lasts, and the log line about it.

import type { PoolState } from "./causes.ts";
import type { ProviderLimit } from "./limits/provider_limit.ts";
import { logger } from "../log.ts";

const log = logger("pool");

/** A rest that begins so soon after the last one continues it, in ms. */
const CONTINUES_WITHIN_MS = 1000;
/** Time between two log lines about rests, in ms. */
const LOG_EVERY_MS = 10_000;

/** What it works with. */
export interface ProviderRestPorts {
  readonly provider: Pick<ProviderLimit, "ratePerSecond" | "restUntilMs">;
  /** Permits have changed by time alone. */
  readonly changed: () => void;
}

/** Wakes the pool up when time alone brings permits, and reports rests. */
export class ProviderRest {
  readonly #ports: ProviderRestPorts;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerMs: number | undefined;
  #last: PoolState["rest"];
  #loggedMs = -Infinity;
  #closed = false;

  constructor(ports: ProviderRestPorts) {
    this.#ports = ports;
  }

  /** The last rest, over or not. */
  get last(): PoolState["rest"] {
    return this.#last;
  }

  /** Sets the timer for the next change by time, in ms, and notes a rest that has begun. */
  update(nextMs: number | undefined, nowMs: number): void {
    if (nowMs < this.#ports.provider.restUntilMs) this.#report(nowMs);
    if (nextMs === this.#timerMs) return;
    this.#timerMs = nextMs;
    clearTimeout(this.#timer);
    if (nextMs !== undefined && !this.#closed) {
      this.#timer = setTimeout(() => this.#wake(), Math.max(1, nextMs - nowMs));
    }
  }

  /** Ends all waiting. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  /** A provider that asks for a rest every second is logged every ten. */
  #report(nowMs: number): void {
    const { restUntilMs, ratePerSecond } = this.#ports.provider;
    const last = this.#last;
    if (restUntilMs === last?.untilMs) return;
    const continues = last !== undefined && nowMs <= last.untilMs + CONTINUES_WITHIN_MS;
    this.#last = { sinceMs: continues ? last.sinceMs : nowMs, untilMs: restUntilMs };
    if (nowMs - this.#loggedMs < LOG_EVERY_MS) return;
    this.#loggedMs = nowMs;
    log.info("provider limits us, nothing leaves", { ms: Math.round(restUntilMs - nowMs), ratePerSecond });
  }

  #wake(): void {
    // A timer may be a little early; then `schedule` sets it again.
    this.#timerMs = undefined;
    this.#ports.changed();
  }
}
