// FlowHistory: what has arrived, was settled and waits, looked at now and then, over the last hour.

/** One look. */
export interface FlowSample {
  /** In ms of the monotonic clock. */
  readonly atMs: number;
  /** Records settled since the start, dead letters included. */
  readonly settled: number;
  /** Records that came since the start, as far as partitions were ours. */
  readonly arrived: number;
  /** Records that are not settled. */
  readonly backlog: number;
  /** Age of the oldest of them, in ms; null where there is none. */
  readonly oldestAgeMs: number | null;
}

/** Records a second, over the last minute. */
export interface FlowRates {
  readonly arrivedPerSecond: number;
  readonly settledPerSecond: number;
  /** How long was looked, in ms. */
  readonly overMs: number;
}

/** Pause between two samples that are kept, in ms, and how many are. */
export const SAMPLE_EVERY_MS = 5000;
const SAMPLES_MAX = 720;
/** Rates are those of this time, in ms. */
const RATES_OVER_MS = 60_000;

/** Keeps an hour; the latest look replaces the one before until that is five seconds old. */
export class FlowHistory {
  readonly #samples: FlowSample[] = [];
  #latest: FlowSample | undefined;
  #partitions = -1;
  #arrived = 0;

  /** @param partitions that are assigned: where that changes, the backlog's jump is nobody's arrival. */
  record(look: Omit<FlowSample, "arrived">, partitions: number): void {
    const before = this.#latest;
    if (before !== undefined && partitions === this.#partitions) {
      const came = look.settled - before.settled + look.backlog - before.backlog;
      this.#arrived += Math.max(0, came);
    }
    this.#partitions = partitions;
    this.#latest = { ...look, arrived: this.#arrived };
    const kept = this.#samples.at(-1);
    if (kept !== undefined && look.atMs - kept.atMs < SAMPLE_EVERY_MS) return;
    this.#samples.push(this.#latest);
    if (this.#samples.length > SAMPLES_MAX) this.#samples.shift();
  }

  /** The samples of the last hour, the oldest first, and the latest look. */
  samples(): readonly FlowSample[] {
    const latest = this.#latest;
    return latest === undefined || latest === this.#samples.at(-1)
      ? [...this.#samples]
      : [...this.#samples, latest];
  }

  /** Undefined before there were two looks. */
  rates(): FlowRates | undefined {
    const latest = this.#latest;
    if (latest === undefined) return undefined;
    const first = this.#samples.find(({ atMs }) => latest.atMs - atMs <= RATES_OVER_MS);
    const overMs = latest.atMs - (first?.atMs ?? latest.atMs);
    if (first === undefined || overMs <= 0) return undefined;
    const perSecond = (count: number) => count * 1000 / overMs;
    return {
      arrivedPerSecond: perSecond(latest.arrived - first.arrived),
      settledPerSecond: perSecond(latest.settled - first.settled),
      overMs,
    };
  }
}
