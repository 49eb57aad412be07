// The simulated providers by name, the limits that are tried on each, and what comes of adapting beside the best of them.

import { stream } from "../../simulation/random.ts";
import { adaptive, type Change, drive, type Driven, fixed } from "./drive.ts";
import { HardCap, Knee, type Provider, RateBucket, RateWindow } from "./providers.ts";

/** Ten replicas that take eight each. */
export const REPLICAS = 10;
export const CONCURRENCY = 8;

/** One provider. */
export interface Case {
  readonly name: string;
  readonly make: (random: () => number) => Provider;
  /** How long its limit may take to be found, in ms; nothing is counted before. */
  readonly warmUpMs: number;
  /** All of a minute comes in its first second: no second is like another, so recovery cannot be seen in them. */
  readonly bursts?: true;
}

/** All of them. */
export const CASES: readonly Case[] = [
  { name: "no limit", make: (random) => new HardCap(random, 1000), warmUpMs: 0 },
  { name: "37 at once", make: (random) => new HardCap(random, 37), warmUpMs: 0 },
  { name: "600 a minute, headers", make: (random) => new RateBucket(random, 600, true), warmUpMs: 0 },
  {
    name: "600 a minute, no headers",
    make: (random) => new RateBucket(random, 600, false),
    warmUpMs: 30_000,
  },
  {
    name: "600 each minute, headers",
    make: (random) => new RateWindow(random, 600, true),
    warmUpMs: 0,
    bursts: true,
  },
  {
    name: "600 each minute, no headers",
    make: (random) => new RateWindow(random, 600, false),
    warmUpMs: 0,
    bursts: true,
  },
  { name: "slower with load, knee at 40", make: (random) => new Knee(random, 40, 3), warmUpMs: 90_000 },
  { name: "slower with load, knee at 15", make: (random) => new Knee(random, 15, 2), warmUpMs: 90_000 },
];

/** Fixed limits that are tried. */
export const FIXED: readonly number[] = [1, 2, 4, 6, 8, 11, 16, 20, 24, 28, 32, 37, 44, 52, 64, 80];

/** What came of one case. */
export interface Found {
  readonly name: string;
  readonly bestLimit: number;
  readonly best: Driven;
  readonly adaptive: Driven;
  /** Adaptive goodput over the best fixed one's. */
  readonly ratio: number;
}

/** Sweeps the fixed limits and adapts. */
export function find({ name, make, warmUpMs }: Case, forMs: number, seed: number, limits = FIXED): Found {
  const run = (policy: Parameters<typeof drive>[0]["policy"]) =>
    drive({ provider: make(stream(seed)), policy, forMs: warmUpMs + forMs, warmUpMs });
  const tried = limits.map((limit) => ({ limit, driven: run(fixed(limit)) }));
  const best = tried.reduce((a, b) => b.driven.goodput > a.driven.goodput * 1.001 ? b : a);
  const found = run(adaptive(REPLICAS, CONCURRENCY, seed));
  return {
    name,
    bestLimit: best.limit,
    best: best.driven,
    adaptive: found,
    ratio: found.goodput / best.driven.goodput,
  };
}

/** A provider with a quarter of its strength for ten seconds. */
const OVERLOAD_AT_MS = 150_000;
const OVERLOAD_FOR_MS = 10_000;

/** What an overload took, and how soon it was given back. */
export interface Recovery {
  readonly name: string;
  /** Settled a second before. */
  readonly before: number;
  /** Seconds from the end of the overload until five in a row had 95% of that; infinite if never within a minute. */
  readonly seconds: number;
}

/** Plays an overload. */
export function recover({ name, make }: Case, seed: number): Recovery {
  const endMs = OVERLOAD_AT_MS + OVERLOAD_FOR_MS;
  const changes: readonly Change[] = [{ atMs: OVERLOAD_AT_MS, share: 0.25 }, { atMs: endMs, share: 1 }];
  const policy = adaptive(REPLICAS, CONCURRENCY, seed);
  const { perSecond } = drive({ provider: make(stream(seed)), policy, forMs: endMs + 70_000, changes });
  const mean = (from: number, to: number) =>
    perSecond.slice(from, to).reduce((sum, count) => sum + count, 0) / (to - from);
  const before = mean(OVERLOAD_AT_MS / 1000 - 60, OVERLOAD_AT_MS / 1000);
  for (let second = 0; second < 60; second++) {
    if (mean(endMs / 1000 + second, endMs / 1000 + second + 5) >= before * 0.95) {
      return { name, before, seconds: second };
    }
  }
  return { name, before, seconds: Infinity };
}
