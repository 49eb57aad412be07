// The loop that looks the replicas up: every few seconds while one is usable, more often while none is.

import { logger } from "../../log.ts";
import type { Resolver } from "./dns.ts";
import { type Endpoint, resolveEndpoints } from "./endpoints.ts";
import { RememberingResolver } from "./remembering_resolver.ts";

const log = logger("pool");

/** Pause between look-ups, in ms. */
const LOOK_UP_EVERY_MS = 3000;
/** The same after a look-up that found something else than the one before, in ms: changes come in series. */
const LOOK_UP_AFTER_CHANGE_MS = 1000;
/** The same while no replica is usable, in ms: the first one that starts is what everything waits for. */
const LOOK_UP_WHEN_EMPTY_MS = 200;
/** Having been empty for so long, in ms, it is likely to stay so for a while: a pool at zero should cost little. */
const EMPTY_FOR_LONG_MS = 10_000;
/** The pause from then on, in ms. */
const LOOK_UP_WHEN_LONG_EMPTY_MS = 500;

/** What it needs. */
export interface LookupLoopPorts {
  readonly urls: readonly URL[];
  readonly resolver: Resolver;
  /** Told what every look-up found. */
  readonly onFound: (endpoints: readonly Endpoint[]) => void;
  /** Whether some replica can be used. */
  readonly usable: () => boolean;
}

/**
 * Looks the replicas up again and again: often while there is none, now and then otherwise.
 * `start()` once; `hurry()` whenever nothing can be used any more.
 */
export class LookupLoop {
  readonly #ports: LookupLoopPorts;
  readonly #failing = new Set<string>();
  readonly #resolver: RememberingResolver;
  #found: readonly Endpoint[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #emptySinceMs: number | undefined;
  #changed = false;
  #looking = false;
  #closed = false;

  constructor(ports: LookupLoopPorts) {
    this.#ports = ports;
    this.#resolver = new RememberingResolver(ports.resolver, () => performance.now());
  }

  /** Resolves after the first look-up; the others follow by themselves. */
  async start(): Promise<void> {
    await this.#look();
  }

  /** Brings the next look-up forward. */
  hurry(): void {
    if (!this.#looking) this.#schedule();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    if (this.#closed) return;
    this.#timer = setTimeout(() => this.#look(), this.#waitMs());
  }

  #waitMs(): number {
    const nowMs = performance.now();
    this.#emptySinceMs = this.#ports.usable() ? undefined : this.#emptySinceMs ?? nowMs;
    if (this.#emptySinceMs === undefined) return this.#changed ? LOOK_UP_AFTER_CHANGE_MS : LOOK_UP_EVERY_MS;
    const long = nowMs - this.#emptySinceMs >= EMPTY_FOR_LONG_MS;
    return long ? LOOK_UP_WHEN_LONG_EMPTY_MS : LOOK_UP_WHEN_EMPTY_MS;
  }

  async #look(): Promise<void> {
    this.#looking = true;
    const failed = new Set<string>();
    const before = addressesOf(this.#found);
    this.#found = await resolveEndpoints(
      this.#ports.urls,
      this.#found,
      this.#resolver,
      (hostname, error) => {
        failed.add(hostname);
        // Logged once, not five times a second.
        if (this.#failing.has(hostname)) return;
        this.#failing.add(hostname);
        log.warn("look-up failed, the last answer stands", { hostname, error: String(error) });
      },
    );
    for (const hostname of this.#failing) {
      if (failed.has(hostname)) continue;
      this.#failing.delete(hostname);
      log.info("look-up works again", { hostname });
    }
    if (this.#closed) return;
    this.#changed = addressesOf(this.#found) !== before || this.#resolver.unsettled;
    this.#looking = false;
    this.#ports.onFound(this.#found);
    this.#schedule();
  }
}

function addressesOf(endpoints: readonly Endpoint[]): string {
  return endpoints.map(({ address }) => address).sort().join(" ");
}
