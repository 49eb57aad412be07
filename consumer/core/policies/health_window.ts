// Poison or outage: does a failed attempt speak against the record, or against the pool?

/** How recent attempts are weighed. */
export const VERDICT = {
  /** Samples older than this say nothing about now, in ms. */
  windowMs: 30_000,
  /** Only the latest samples count, so that a busy past cannot hide a fresh outage. */
  samples: 32,
  /** With fewer records to go by, the replicas' `/readyz` is asked. */
  least: 5,
  /** A record that keeps failing is one sample in this time, in ms. */
  resampleMs: 10_000,
} as const;

/** `ask` means there is too little other traffic to tell: `/readyz` decides. */
export type Verdict = "poison" | "outage" | "ask";

interface Sample {
  readonly atMs: number;
  /** The record that failed; undefined for a success. */
  readonly failed: object | undefined;
}

/** The latest attempts of all records, one window for the pool. */
export class HealthWindow {
  readonly #samples: Sample[] = [];
  #next = 0;
  /** Records that failed since the last success, however long ago; never more than `VERDICT.samples`. */
  readonly #failedSinceSuccess: Set<object> = new Set();

  /** A record was settled by a worker. */
  recordSuccess(nowMs: number): void {
    this.#failedSinceSuccess.clear();
    this.#add({ atMs: nowMs, failed: undefined });
  }

  /** A record's attempt failed in a way that may be its own fault or the pool's. */
  recordFailure(subject: object, nowMs: number): void {
    if (this.#failedSinceSuccess.size < VERDICT.samples) this.#failedSinceSuccess.add(subject);
    const since = nowMs - VERDICT.resampleMs;
    const known = this.#samples.some((sample) => sample.failed === subject && sample.atMs > since);
    if (!known) this.#add({ atMs: nowMs, failed: subject });
  }

  /**
   * The verdict on a record whose attempt just failed, by what other records came to since it failed before: what was
   * well then says nothing about now, or a lone record would lose all its attempts to an outage.
   *
   * @param previousMs when it failed before; undefined when it did not.
   */
  judge(subject: object, previousMs: number | undefined, nowMs: number): Verdict {
    const sinceMs = Math.max(nowMs - VERDICT.windowMs, previousMs ?? -Infinity);
    const failing = new Set<object>([subject]);
    let succeeded = 0;
    for (const { atMs, failed } of this.#samples) {
      if (atMs <= sinceMs) continue;
      if (failed === undefined) succeeded += 1;
      else failing.add(failed);
    }
    if (failing.size <= succeeded) return "poison";
    if (failing.size + succeeded >= VERDICT.least) return "outage";
    return this.#failedSinceSuccess.size >= VERDICT.least ? "outage" : "ask";
  }

  /** What was seen says nothing any more: the breaker has just closed. That nothing succeeded since stays true. */
  clear(): void {
    this.#samples.length = 0;
    this.#next = 0;
  }

  #add(sample: Sample): void {
    this.#samples[this.#next] = sample;
    this.#next = (this.#next + 1) % VERDICT.samples;
  }
}
