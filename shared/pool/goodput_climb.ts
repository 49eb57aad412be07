// How many attempts at once bring most: when latency makes one suspicious, fewer and more are tried, and what comes of it decides. Pure.

import { GoodputWindow } from "./goodput_window.ts";

/** How it tries. */
export const CLIMB = {
  /** Attempts that must go well before a stretch of time says anything; lognormal calls leave a tenth of doubt then. */
  least: 150,
  /** And so many where a little more or less is tried. */
  fine: 400,
  /** Attempts that take so many times as long as they did arouse suspicion. */
  suspicious: 1.5,
  /** Attempts that take only this share of the time they took show that the trouble is over. */
  relieved: 0.75,
  /** Fewer are kept where they bring at least this share of what more brought. */
  enough: 0.95,
  /** A little more or less is kept only where it is seen to bring so many times as much. */
  better: 1.07,
  /** Full use for so long before fewer are tried unasked, in ms: a second at half is 1% of it. */
  unaskedMs: 45_000,
  unaskedMaxMs: 900_000,
  /** Pauses between two tries where fewer have proved better, in ms. */
  againMs: 5000,
  againMaxMs: 120_000,
} as const;

interface Trial {
  readonly direction: "fewer" | "more";
  /** The limit to go back to. */
  readonly before: number;
  /** What has to be reached, in attempts that go well in a ms. */
  readonly beatenBy: number;
  /** What the best so far brought. */
  readonly reference: number;
  /** The limit of before, times this. */
  readonly factor: number;
  readonly least: number;
  /** The old ones are still on their way; measuring begins when they are gone. */
  settledMs: number | undefined;
}

/** A limit that falls only where fewer attempts at once are seen to bring as much. */
export class GoodputClimb {
  #limit = Infinity;
  #window: GoodputWindow;
  /** All that was seen at this limit, for long enough to be sure. */
  #long: GoodputWindow;
  #trial: Trial | undefined;
  /** Time an attempt takes while all is as it should be, in ms: geometric mean. */
  #usualMs: number | undefined;
  #meanMs = 0;
  #usualRate = 1;
  #unaskedAtMs: number;
  #unaskedMs: number = CLIMB.unaskedMs;
  #againAtMs = 0;
  #againMs: number = CLIMB.againMs;
  #turn: "fewer" | "more" = "more";
  readonly #asked: boolean;

  /** @param asked fewer are tried only when latency gives a reason. */
  constructor(nowMs: number, asked = false) {
    this.#window = new GoodputWindow(nowMs);
    this.#long = new GoodputWindow(nowMs);
    this.#unaskedAtMs = nowMs + CLIMB.unaskedMs;
    this.#asked = asked;
  }

  /** Attempts at once; infinite where nothing speaks for fewer than there may be otherwise. */
  get limit(): number {
    return this.#limit;
  }

  /** Time an attempt takes, as of the last stretch that said something, in ms; undefined before. */
  get usualMs(): number | undefined {
    return this.#usualMs;
  }

  /**
   * An attempt ended.
   *
   * @param inFlight those on their way before it ended.
   * @param max attempts at once that there may be otherwise.
   */
  recordFinished(good: boolean, latencyMs: number, inFlight: number, max: number, nowMs: number): void {
    this.#window.record(good, latencyMs, inFlight, nowMs);
    if (this.#trial !== undefined) return this.#try(this.#trial, inFlight, max, nowMs);
    this.#long.record(good, latencyMs, inFlight, nowMs);
    if (this.#window.good < CLIMB.least) return;
    const window = this.#window;
    this.#window = new GoodputWindow(nowMs);
    // Where not all are used, fewer or more would make no difference that could be seen.
    if (window.inFlight(nowMs) < 0.85 * Math.min(max, this.#limit)) {
      this.#unaskedAtMs = Math.max(this.#unaskedAtMs, nowMs + CLIMB.unaskedMs / 4);
      this.#long = new GoodputWindow(nowMs);
      return;
    }
    this.#look(window, max, nowMs);
    if (this.#long.good > 3 * CLIMB.fine) this.#long = new GoodputWindow(nowMs);
  }

  #look(window: GoodputWindow, max: number, nowMs: number): void {
    const { latencyMs } = window;
    this.#usualRate = window.rate(nowMs);
    this.#meanMs = window.inFlight(nowMs) / Math.max(1e-9, this.#usualRate);
    const usualMs = this.#usualMs ?? latencyMs;
    const restricted = this.#limit < max;
    const suspicious = latencyMs > usualMs * CLIMB.suspicious;
    const relieved = restricted && latencyMs < usualMs * CLIMB.relieved;
    this.#usualMs = usualMs * Math.pow(latencyMs / usualMs, 0.3);
    if (suspicious) this.#usualMs = usualMs;
    const rate = window.yield(nowMs);
    if (relieved) {
      this.#usualMs = latencyMs;
      this.#againMs = CLIMB.againMs;
      return this.#begin("more", 2, CLIMB.least, rate, max, nowMs);
    }
    const unasked = !this.#asked && !restricted && nowMs >= this.#unaskedAtMs;
    if (suspicious || unasked) return this.#begin("fewer", 0.6, CLIMB.least, rate, max, nowMs);
    if (!restricted || nowMs < this.#againAtMs || this.#long.good < CLIMB.fine) return;
    this.#begin(
      this.#turn,
      this.#turn === "more" ? 1.25 : 0.8,
      CLIMB.fine,
      this.#long.yield(nowMs),
      max,
      nowMs,
    );
  }

  #begin(
    direction: Trial["direction"],
    factor: number,
    least: number,
    reference: number,
    max: number,
    nowMs: number,
  ): void {
    const before = Math.min(max, this.#limit);
    const limit = Math.max(1, Math.round(before * factor));
    if (limit === before) return;
    const coarse = direction === "fewer" && least === CLIMB.least;
    const beatenBy = reference * (coarse ? CLIMB.enough : CLIMB.better);
    this.#trial = {
      direction,
      before: this.#limit,
      beatenBy,
      reference,
      factor,
      least,
      settledMs: undefined,
    };
    this.#limit = limit;
    this.#window = new GoodputWindow(nowMs);
  }

  #try(trial: Trial, inFlight: number, max: number, nowMs: number): void {
    if (!this.#settled(trial, inFlight, max, nowMs)) return;
    const tookMs = nowMs - this.#window.fromMs;
    const late = tookMs > 4 * trial.least / this.#usualRate;
    if (this.#window.good < trial.least && !late) return;
    const window = this.#window;
    this.#trial = undefined;
    this.#window = new GoodputWindow(nowMs);
    this.#long = new GoodputWindow(nowMs);
    const used = window.inFlight(nowMs) >= 0.85 * Math.min(this.#limit, max);
    const rate = window.yield(nowMs);
    if (used && rate >= trial.beatenBy) return this.#keep(trial, rate, window.latencyMs, max, nowMs);
    this.#goBack(trial, nowMs);
  }

  /** Whether those of before are gone: as many in flight as the trial wants, and the time of one attempt since. */
  #settled(trial: Trial, inFlight: number, max: number, nowMs: number): boolean {
    if (trial.settledMs === undefined) {
      const there = trial.direction === "fewer"
        ? inFlight <= this.#limit
        : inFlight >= 0.95 * Math.min(max, this.#limit) - 1;
      const waited = nowMs - this.#window.fromMs > 10 * this.#meanMs + 1000;
      if (there || waited) trial.settledMs = nowMs + this.#meanMs;
      return false;
    }
    if (nowMs < trial.settledMs) return false;
    if (this.#window.fromMs < trial.settledMs) this.#window = new GoodputWindow(nowMs);
    return true;
  }

  #keep(trial: Trial, rate: number, latencyMs: number, max: number, nowMs: number): void {
    this.#usualMs = latencyMs;
    this.#againMs = CLIMB.againMs;
    this.#turn = trial.direction;
    if (this.#limit >= max) return this.#release(nowMs);
    // A row of steps is held against the best of them, or it would go down by a little loss each.
    const reference = Math.max(rate, trial.reference);
    this.#begin(trial.direction, trial.factor, trial.least, reference, max, nowMs);
  }

  #goBack(trial: Trial, nowMs: number): void {
    this.#limit = trial.before;
    this.#turn = trial.direction === "more" ? "fewer" : "more";
    this.#againAtMs = nowMs + this.#againMs;
    this.#againMs = Math.min(CLIMB.againMaxMs, this.#againMs * 2);
    // What takes longer now does so whatever we do: it is the usual from here on.
    this.#usualMs = undefined;
    this.#unaskedMs = Math.min(CLIMB.unaskedMaxMs, this.#unaskedMs * 3);
    this.#unaskedAtMs = nowMs + this.#unaskedMs;
  }

  #release(nowMs: number): void {
    this.#limit = Infinity;
    this.#unaskedAtMs = nowMs + this.#unaskedMs;
  }
}
