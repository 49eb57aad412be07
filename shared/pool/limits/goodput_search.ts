// The search for how many attempts at once bring most: when latency rises, fewer and more are tried, and the goodput decides. Pure.

import { GoodputWindow } from "./goodput_window.ts";

/** How it tries. */
const SEARCH = {
  /** Good attempts before a stretch of time says anything: with lognormal latencies its mean is then off by a tenth. */
  samplesMin: 150,
  /** No shorter stretch says anything, in ms: the clock has whole ms, and the answers of a batch come together. */
  windowMinMs: 200,
  /** Good attempts before a small step is judged, or as many as `fineMs` brings. */
  samplesFine: 400,
  fineMs: 20_000,
  /** Latency, as a multiple of the usual one, at which fewer attempts are tried. */
  suspiciousRatio: 1.5,
  /** It has to rise by so much besides, in ms: less is how the machine shares its cores out. */
  suspiciousMs: 10,
  /** Latency, as a share of the usual one, at which the trouble is over. */
  recoveredRatio: 0.75,
  /** A far smaller limit is kept if it brings this share of what the larger one brought. */
  keepRatioFewer: 0.95,
  /** Any other step is kept if it brings this multiple of what was there before. */
  keepRatioMore: 1.07,
  /** Standard errors that end a trial early, and the bounds of the spread of latencies that they are counted with. */
  sigmas: 3.5,
  spreadMin: 0.3,
  spreadMax: 1,
  /** Time at full use before a smaller limit is tried without a latency signal, in ms: a second at half costs 1% of it. */
  unaskedMs: 45_000,
  /** Never unasked where more of the attempts fail. */
  failedShareMax: 0.2,
  unaskedMaxMs: 900_000,
  /** Pauses between two trials once a smaller limit has been kept, in ms. */
  againMs: 5000,
  againMaxMs: 120_000,
} as const;

interface Step {
  readonly direction: "fewer" | "more";
  /** The limit, times this. */
  readonly factor: number;
  readonly fine: boolean;
}

const FAR_FEWER: Step = { direction: "fewer", factor: 0.6, fine: false };
const FAR_MORE: Step = { direction: "more", factor: 1.6, fine: false };
const FEWER: Step = { direction: "fewer", factor: 0.8, fine: true };
const MORE: Step = { direction: "more", factor: 1.25, fine: true };

interface Trial {
  readonly step: Step;
  /** The limit to go back to. */
  readonly before: number;
  /** What the best so far brought. */
  readonly reference: number;
  /** When measuring begins: the attempts from before the trial have to end first. */
  settledMs: number | undefined;
}

/** A limit that falls only where fewer attempts at once are seen to bring as much. */
export class GoodputSearch {
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
  #unaskedMs: number = SEARCH.unaskedMs;
  #againAtMs = 0;
  /** Attempts of a failed trial are still in flight until then; their latency says nothing about now. */
  #quietUntilMs = -Infinity;
  #againMs: number = SEARCH.againMs;
  #next: Step = MORE;
  /** The overload may have passed meanwhile: far more are tried before the smaller limit is kept. */
  #rebounds = false;
  readonly #asked: boolean;

  /** @param asked fewer are tried only when latency gives a reason. */
  constructor(nowMs: number, asked = false) {
    this.#window = new GoodputWindow(nowMs);
    this.#long = new GoodputWindow(nowMs);
    this.#unaskedAtMs = nowMs + SEARCH.unaskedMs;
    this.#asked = asked;
  }

  /** Attempts at once; infinite where nothing speaks for fewer than there may be otherwise. */
  get limit(): number {
    return this.#limit;
  }

  /**
   * An attempt ended.
   *
   * @param inFlight those on their way before it ended.
   * @param max attempts at once that there may be otherwise.
   */
  recordFinished(good: boolean, latencyMs: number, inFlight: number, max: number, nowMs: number): void {
    if (nowMs < this.#quietUntilMs) return this.#forget(nowMs);
    this.#window.record(good, latencyMs, inFlight, nowMs);
    if (this.#trial !== undefined) return this.#try(this.#trial, inFlight, max, nowMs);
    this.#long.record(good, latencyMs, inFlight, nowMs);
    if (this.#window.good < SEARCH.samplesMin || this.#isShort(nowMs)) return;
    const window = this.#window;
    this.#window = new GoodputWindow(nowMs);
    // If not all permits are used, another limit would change nothing that can be measured.
    if (window.inFlight(nowMs) < 0.85 * Math.min(max, this.#limit)) {
      this.#unaskedAtMs = Math.max(this.#unaskedAtMs, nowMs + SEARCH.unaskedMs / 4);
      this.#long = new GoodputWindow(nowMs);
      return;
    }
    this.#look(window, max, nowMs);
    if (this.#long.good > 3 * SEARCH.samplesFine) this.#long = new GoodputWindow(nowMs);
  }

  #isShort(nowMs: number): boolean {
    return nowMs - this.#window.fromMs < SEARCH.windowMinMs;
  }

  #forget(nowMs: number): void {
    this.#window = new GoodputWindow(nowMs);
    this.#long = new GoodputWindow(nowMs);
  }

  #look(window: GoodputWindow, max: number, nowMs: number): void {
    const { latencyMs } = window;
    this.#usualRate = window.rate(nowMs);
    this.#meanMs = window.inFlight(nowMs) / Math.max(1e-9, this.#usualRate);
    const usualMs = this.#usualMs ?? latencyMs;
    const suspicious = latencyMs > Math.max(usualMs * SEARCH.suspiciousRatio, usualMs + SEARCH.suspiciousMs);
    const relieved = latencyMs < usualMs * SEARCH.recoveredRatio;
    this.#usualMs = suspicious ? usualMs : usualMs * Math.pow(latencyMs / usualMs, relieved ? 1 : 0.3);
    // Where many fail, bad records hold permits that good ones have no need of: fewer would seem to bring as much.
    if (window.failedShare > SEARCH.failedShareMax) {
      this.#unaskedAtMs = Math.max(this.#unaskedAtMs, nowMs + SEARCH.unaskedMs / 4);
    }
    const step = this.#stepFor(suspicious, relieved, max, nowMs);
    if (step === undefined) return;
    this.#rebounds = suspicious;
    this.#begin(step, (step.fine ? this.#long : window).yield(nowMs), max, nowMs);
  }

  #stepFor(suspicious: boolean, relieved: boolean, max: number, nowMs: number): Step | undefined {
    if (suspicious) return FAR_FEWER;
    if (this.#limit >= max) return !this.#asked && nowMs >= this.#unaskedAtMs ? FAR_FEWER : undefined;
    if (relieved || this.#rebounds) return FAR_MORE;
    return nowMs >= this.#againAtMs && this.#long.good >= this.#least(this.#next) ? this.#next : undefined;
  }

  #least({ fine }: Step): number {
    if (!fine) return SEARCH.samplesMin;
    return Math.min(SEARCH.samplesFine, Math.max(SEARCH.samplesMin / 2, this.#usualRate * SEARCH.fineMs));
  }

  #begin(step: Step, reference: number, max: number, nowMs: number): void {
    const before = Math.min(max, this.#limit);
    // At least one more or less: a limit of 1 would never grow by a quarter.
    const limit = step.direction === "more"
      ? Math.max(before + 1, Math.round(before * step.factor))
      : Math.max(1, Math.round(before * step.factor));
    if (limit === before) {
      // Fewer than one cannot be tried.
      this.#next = MORE;
      return;
    }
    this.#trial = { step, before: this.#limit, reference, settledMs: undefined };
    this.#limit = limit;
    this.#window = new GoodputWindow(nowMs);
  }

  #try(trial: Trial, inFlight: number, max: number, nowMs: number): void {
    if (!this.#settled(trial, inFlight, max, nowMs) || this.#isShort(nowMs)) return;
    const window = this.#window;
    const wanted = trial.reference *
      (trial.step === FAR_FEWER ? SEARCH.keepRatioFewer : SEARCH.keepRatioMore);
    const brought = window.yield(nowMs);
    const least = this.#least(trial.step);
    const late = nowMs - window.fromMs > 4 * least / this.#usualRate;
    // A clear result needs no more samples.
    const spread = Math.min(SEARCH.spreadMax, Math.max(SEARCH.spreadMin, window.spread));
    const error = spread / Math.sqrt(window.good);
    const clear = window.good >= 30 && Math.abs(Math.log(brought / wanted)) > SEARCH.sigmas * error;
    if (window.good < least && !late && !clear) return;
    this.#trial = undefined;
    this.#forget(nowMs);
    const used = window.inFlight(nowMs) >= 0.85 * Math.min(this.#limit, max);
    if (used && brought >= wanted) this.#keep(trial, window, max, nowMs);
    else this.#goBack(trial, window, nowMs);
  }

  /** Whether the attempts from before the trial are gone: as many in flight as it wants, and one attempt's time since. */
  #settled(trial: Trial, inFlight: number, max: number, nowMs: number): boolean {
    if (trial.settledMs === undefined) {
      const there = trial.step.direction === "fewer"
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

  #keep({ step, reference }: Trial, window: GoodputWindow, max: number, nowMs: number): void {
    this.#usualMs = window.latencyMs;
    this.#usualRate = window.rate(nowMs);
    this.#meanMs = window.inFlight(nowMs) / Math.max(1e-9, this.#usualRate);
    this.#againMs = SEARCH.againMs;
    if (this.#limit >= max) return this.#release(nowMs);
    // Each step is compared with the best so far, or many small losses would add up.
    this.#begin(step, Math.max(window.yield(nowMs), reference), max, nowMs);
  }

  #goBack({ step, before }: Trial, window: GoodputWindow, nowMs: number): void {
    this.#limit = before;
    const tookMs = window.inFlight(nowMs) / Math.max(1e-9, window.rate(nowMs));
    this.#quietUntilMs = nowMs + 2 * Math.min(10_000, Math.max(this.#meanMs, tookMs));
    if (step.direction === "more") this.#rebounds = false;
    this.#next = step.direction === "more" ? FEWER : MORE;
    this.#againAtMs = nowMs + this.#againMs;
    this.#againMs = Math.min(SEARCH.againMaxMs, this.#againMs * 2);
    // Latency stayed high with fewer attempts: it is the usual one from now on.
    this.#usualMs = undefined;
    this.#unaskedMs = Math.min(SEARCH.unaskedMaxMs, this.#unaskedMs * 3);
    this.#unaskedAtMs = nowMs + this.#unaskedMs;
  }

  #release(nowMs: number): void {
    this.#limit = Infinity;
    this.#rebounds = false;
    this.#unaskedAtMs = nowMs + this.#unaskedMs;
  }
}
