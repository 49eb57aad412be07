// Progress of the labels: how many are written, how fast, how many are to come and how long that takes. Pure.

import { duration, number } from "../terminal.ts";

/** The speed is that of this time, in ms. */
const WINDOW_MS = 10_000;

/** Progress of the labels. Time comes in, and never runs backwards. */
export class LabelProgress {
  #looks: { readonly atMs: number; readonly labels: number }[] = [];

  /** `1,829 labelled · 41/s · 5,230 to go · about 2 min`; undefined while there is nothing to do. */
  text(labels: number, backlog: number, nowMs: number): string | undefined {
    this.#looks = this.#looks.filter(({ atMs }) => nowMs - atMs < WINDOW_MS);
    this.#looks.push({ atMs: nowMs, labels });
    if (backlog === 0) return undefined;
    const parts = [`${number(labels)} labelled`];
    const perSecond = this.#perSecond();
    if (perSecond > 0) parts.push(`${perSecond < 10 ? perSecond.toFixed(1) : number(perSecond)}/s`);
    parts.push(`${number(backlog)} to go`);
    if (perSecond > 0) parts.push(duration(backlog / perSecond * 1000));
    return parts.join(" · ");
  }

  #perSecond(): number {
    const [first, last] = [this.#looks[0], this.#looks.at(-1)];
    if (first === undefined || last === undefined || last.atMs === first.atMs) return 0;
    return (last.labels - first.labels) * 1000 / (last.atMs - first.atMs);
  }
}
