// The health window: how records fare that are tried for the first time, and what that makes of a failed attempt.

/** How first attempts are weighed. */
export const VERDICT = {
  /** Outcomes older than this say nothing about now, in ms. */
  windowMs: 30_000,
  /** Only so many of the latest count, so that a busy past cannot hide what happens now. */
  samples: 32,
  /** With fewer the replicas' `/readyz` is asked. */
  samplesMin: 5,
  /** So many failures are many where they are this share of all, or fall among so many of the latest. */
  manyMin: 3,
  manyShare: 0.2,
  manyLatest: 8,
  /** Successes of others after which a record may lose another attempt. */
  successesMin: 3,
  /** Where poison cannot be told from an outage of a part, a record loses no more than one attempt in this time, in ms. */
  slowCountMs: 60_000,
  /** Fewer failures in a row than this are no outage. */
  rowMin: 5,
  /** A row is an outage when bad records alone make it this seldom; the second where `/readyz` says that it is one. */
  rowChance: 1e-6,
  rowChanceNotReady: 1e-4,
  /** Rows are taken to have this mean at least: bad records may be new, and a longer row costs no record an attempt. */
  rowMeanMin: 2,
  /** A row has to last this long, in ms, and so many times what a success takes, but never longer than the last. */
  rowLastsMinMs: 1000,
  rowLastsLatencies: 3,
  rowLastsMaxMs: 10_000,
  /** A row of any length is an outage where it lasts so many times what passes between two successes; at least, at most. */
  rowEndlessGaps: 14,
  rowEndlessMinMs: 10_000,
  rowEndlessMaxMs: 60_000,
} as const;

/** Share of the latest success in the means; more in the first ones, of which there are fewer. */
const ROW_WEIGHT = 0.05;
const TIME_WEIGHT = 0.1;

/** What depends on the replicas' `/readyz`. */
export interface ReadinessQuestion {
  /** Where it says ready, the attempt counts; otherwise the record backs off. */
  readonly counts: boolean;
  /** Where it says not ready, delivery pauses; otherwise the record backs off. */
  readonly pauses: boolean;
}

/** What a failed attempt says. */
export type Verdict =
  /** The record is bad: the attempt counts. */
  | { readonly kind: "poison" }
  /** The pool is: delivery pauses. */
  | { readonly kind: "outage" }
  /** Nothing that is sure enough: the record backs off, the others go on. */
  | { readonly kind: "unclear" }
  | { readonly kind: "ask"; readonly question: ReadinessQuestion };

interface Sample {
  readonly atMs: number;
  readonly failed: boolean;
}

/**
 * The latest first attempts of all records, one window for the pool. Retries are not in it: bad records come back again
 * and again, and would be all that is seen.
 */
export class HealthWindow {
  readonly #samples: Sample[] = [];
  #next = 0;
  /** Records that failed when first tried, since anything succeeded. */
  #row = 0;
  #rowSinceMs = 0;
  /** The row was an outage: what fails now belongs to that. */
  #rowIsOutage = false;
  #rows = 0;
  #rowMean = 0;
  #latencyMs: number | undefined;
  /** Time between two successes, in ms. */
  #gapMs: number | undefined;
  #succeededMs: number | undefined;

  /** Records that are tried, on average, until one succeeds. */
  get triesPerSuccess(): number {
    return 1 + this.#rowMean;
  }

  /** A record was settled by the first attempt that reached a verdict. */
  recordSuccess(tookMs: number, nowMs: number): void {
    this.#rows += 1;
    this.#rowMean += (this.#row - this.#rowMean) * Math.max(ROW_WEIGHT, 1 / this.#rows);
    this.#latencyMs = mean(this.#latencyMs, tookMs);
    if (this.#succeededMs !== undefined) this.#gapMs = mean(this.#gapMs, nowMs - this.#succeededMs);
    this.#succeededMs = nowMs;
    this.#add({ atMs: nowMs, failed: false });
    this.recordRecovery();
  }

  /** A record was settled that had failed before: the pool works. */
  recordRecovery(): void {
    this.#row = 0;
    this.#rowIsOutage = false;
  }

  /** A record failed for the first time, in a way that may be its own fault or the pool's. */
  recordFailure(nowMs: number): void {
    if (this.#row === 0) this.#rowSinceMs = nowMs;
    if (!this.#rowIsOutage) this.#row += 1;
    this.#add({ atMs: nowMs, failed: true });
  }

  /**
   * The verdict on an attempt that has just failed and was recorded.
   *
   * @param countedMs when an attempt last counted against its record; undefined when none did. What was well before
   * says nothing about now, or a record would lose all its attempts to an outage.
   */
  judge(countedMs: number | undefined, nowMs: number): Verdict {
    if (this.isOutage(nowMs)) {
      this.#rowIsOutage = true;
      return { kind: "outage" };
    }
    if (this.#row >= VERDICT.rowMin) {
      const pauses = this.#row >= unlikelyRow(this.#rowMean, VERDICT.rowChanceNotReady);
      return pauses ? ask({ counts: false, pauses }) : { kind: "unclear" };
    }
    const { all, failed, failedLately, succeededSince } = this.#counts(countedMs, nowMs);
    const othersSucceed = succeededSince >= (countedMs === undefined ? 1 : VERDICT.successesMin);
    const many = failed >= VERDICT.manyMin &&
      (failed >= all * VERDICT.manyShare || failedLately >= VERDICT.manyMin);
    if (othersSucceed && !many) return { kind: "poison" };
    const thin = all < VERDICT.samplesMin;
    const sinceCountedMs = nowMs - (countedMs ?? -Infinity);
    // Where nobody else is tried, `/readyz` alone may speak against a record; not where others fail with it.
    const alone = !othersSucceed && !many && this.#row < 2;
    const counts = alone || sinceCountedMs >= VERDICT.slowCountMs;
    const pauses = thin && succeededSince === 0;
    return counts || pauses ? ask({ counts, pauses }) : { kind: "unclear" };
  }

  /** Whether records go through that are tried for the first time. */
  succeeds(nowMs: number): boolean {
    return !this.isOutage(nowMs) && this.#counts(undefined, nowMs).succeededSince > 0;
  }

  /** Whether nothing succeeds: a row of failures that bad records do not make by chance, or one that does not end. */
  isOutage(nowMs: number): boolean {
    if (this.#rowIsOutage) return true;
    if (this.#row < VERDICT.rowMin) return false;
    const lastedMs = nowMs - this.#rowSinceMs;
    const endlessMs = Math.max(VERDICT.rowEndlessMinMs, VERDICT.rowEndlessGaps * (this.#gapMs ?? 0));
    if (lastedMs >= Math.min(VERDICT.rowEndlessMaxMs, endlessMs)) return true;
    const usualMs = VERDICT.rowLastsLatencies * (this.#latencyMs ?? 0);
    const leastMs = Math.min(VERDICT.rowLastsMaxMs, Math.max(VERDICT.rowLastsMinMs, usualMs));
    const rowMean = Math.max(VERDICT.rowMeanMin, this.#rowMean);
    return lastedMs >= leastMs && this.#row >= unlikelyRow(rowMean, VERDICT.rowChance);
  }

  /** What was seen says nothing any more: the breaker has just closed. That nothing succeeded since stays true. */
  clear(): void {
    this.#samples.length = 0;
    this.#next = 0;
  }

  #counts(sinceMs = -Infinity, nowMs: number): Counts {
    const counts = { all: 0, failed: 0, failedLately: 0, succeededSince: 0 };
    for (let back = 1; back <= this.#samples.length; back++) {
      const sample = this.#samples[(this.#next - back + VERDICT.samples) % VERDICT.samples];
      if (sample === undefined || sample.atMs <= nowMs - VERDICT.windowMs) break;
      counts.all += 1;
      if (!sample.failed && sample.atMs > sinceMs) counts.succeededSince += 1;
      if (!sample.failed) continue;
      counts.failed += 1;
      if (back <= VERDICT.manyLatest) counts.failedLately += 1;
    }
    return counts;
  }

  #add(sample: Sample): void {
    this.#samples[this.#next] = sample;
    this.#next = (this.#next + 1) % VERDICT.samples;
  }
}

type Counts = Readonly<Record<"all" | "failed" | "failedLately" | "succeededSince", number>>;

function mean(before: number | undefined, latest: number): number {
  return before === undefined ? latest : before + (latest - before) * TIME_WEIGHT;
}

/** The length of a row of failures that is seen with this chance where rows have this mean. */
function unlikelyRow(mean: number, chance: number): number {
  return Math.log(chance) / Math.log(mean / (1 + mean));
}

function ask(question: ReadinessQuestion): Verdict {
  return { kind: "ask", question };
}
