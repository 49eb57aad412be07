// The last hour as columns, which is what a chart takes.

import type { FlowSample } from "../core/why/flow_history.ts";

/** The body of `GET /state/history`: columns of one length, oldest first. Rates are records a second. */
export interface HistoryJson {
  /** Seconds since the epoch. */
  readonly time: readonly number[];
  readonly arrived: readonly number[];
  readonly settled: readonly number[];
  readonly backlog: readonly number[];
  readonly oldest_age_s: readonly (number | null)[];
}

/** What came between each sample and the one before it. */
export function historyJson(samples: readonly FlowSample[]): HistoryJson {
  const pairs = samples.slice(1).map((now, index) => ({ now, before: samples[index] ?? now }));
  const rate = (of: "arrived" | "settled") =>
    pairs.map(({ now, before }) => {
      const seconds = Math.max(0.001, (now.atMs - before.atMs) / 1000);
      return rounded((now[of] - before[of]) / seconds);
    });
  return {
    time: pairs.map(({ now }) => Math.round(now.atMs / 1000)),
    arrived: rate("arrived"),
    settled: rate("settled"),
    backlog: pairs.map(({ now }) => now.backlog),
    oldest_age_s: pairs.map(({ now: { oldestAgeMs } }) =>
      oldestAgeMs === null ? null : rounded(oldestAgeMs / 1000)
    ),
  };
}

const rounded = (value: number) => Math.round(value * 10) / 10;
