// The linear campaign: the same load on 1, 2, 4 and 10 replicas, one after another in one run; does throughput follow?

import { until } from "../../support/until.ts";
import { Feeder } from "../stage/fleet.ts";
import { countLabels } from "../stage/load.ts";
import { openPosts } from "../pool/measures.ts";
import { PoolStage } from "../pool/setup.ts";
import type { Findings } from "../stage/report.ts";

/** The least part of linear that the largest pool must reach against each smaller one. */
const LINEAR_LEAST = 0.95;
const BUSY_MAX_MS = 60_000;
const STANDSTILL_MAX_MS = 120_000;
/** Tickets that wait at least, in seconds of the whole pool's work. */
const BACKLOG_SECONDS = 15;

/** Which pools, under what load. */
export interface LinearOptions {
  readonly brokers: string;
  readonly databaseUrl: string;
  /** Replicas behind the name, one size after another; the largest is held against the others. */
  readonly sizes: readonly number[];
  readonly concurrency: number;
  /** Mean time of the LLM's sleep. */
  readonly sleepMs: number;
  /** How long each size is measured. */
  readonly seconds: number;
  readonly rounds: number;
  readonly report: (what: string) => void;
}

/** What a size came to in one round. */
interface Stretch {
  readonly size: number;
  readonly settled: number;
  readonly seconds: number;
}

/** Runs all rounds. */
export async function runLinearCampaign(options: LinearOptions): Promise<Findings> {
  const { sizes, concurrency, sleepMs, rounds, report } = options;
  const largest = Math.max(...sizes);
  await using stage = await PoolStage.start({ ...options, replicas: largest, sleepMaxMs: sleepMs }, largest);
  const stretches: Stretch[] = [];
  {
    const perSecond = largest * concurrency * 1000 / sleepMs;
    await using _feeder = new Feeder(stage, Math.ceil(perSecond * BACKLOG_SECONDS));
    for (let round = 1; round <= rounds; round++) {
      for (const size of sizes) {
        report(`round ${round}: ${size} × ${concurrency}`);
        stretches.push(await measured(stage, size, options.seconds));
      }
    }
  }
  report("no more tickets: waiting for a lag of 0");
  await stage.name(range(largest));
  const isZero = async () => await stage.lag() === 0;
  await until("a lag of 0", isZero, { timeoutMs: STANDSTILL_MAX_MS, everyMs: 250 });
  await stage.stop();
  const { unlabelled } = await countLabels(stage.databaseUrl);
  return linearFindings(options, stretches, unlabelled + await stage.deadLetters());
}

/** One size, from the moment its permits and no others are in use. */
async function measured(stage: PoolStage, size: number, seconds: number): Promise<Stretch> {
  const { journal, options: { replicas, concurrency } } = stage;
  await stage.name(range(size));
  // A permit is free for a moment between two attempts, so one may be missing.
  const isBusy = (index: number) => openPosts(journal.posts, index, 0) >= concurrency - 1;
  const isIdle = (index: number) => openPosts(journal.posts, index, 0) === 0;
  const isAsNamed = () => range(replicas).every((index) => index < size ? isBusy(index) : isIdle(index));
  await until(`${size} × ${concurrency} permits in use`, isAsNamed, { timeoutMs: BUSY_MAX_MS, everyMs: 20 });
  const before = journal.settled.size;
  const fromMs = performance.now();
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  return { size, settled: journal.settled.size - before, seconds: (performance.now() - fromMs) / 1000 };
}

/** The table and the faults; `lost` counts tickets without a label and dead letters. */
export function linearFindings(
  options: LinearOptions,
  stretches: readonly Stretch[],
  lost: number,
): Findings {
  const { sizes, concurrency, sleepMs, seconds, rounds } = options;
  const largest = Math.max(...sizes);
  const perSecond = (size: number) => {
    const of = stretches.filter((stretch) => stretch.size === size);
    const sum = (pick: (stretch: Stretch) => number) => of.reduce((total, each) => total + pick(each), 0);
    return sum((each) => each.settled) / sum((each) => each.seconds);
  };
  const linear = (size: number) => perSecond(largest) / perSecond(size) / (largest / size);
  return {
    title: `${largest} × ${concurrency} permits against smaller pools, an LLM that sleeps ${sleepMs} ms`,
    command: `deno task campaign:linear --sleep-ms ${sleepMs} --seconds ${seconds} --rounds ${rounds}`,
    tables: [[
      ["replicas", "permits", "settled a second", "of permits / sleep", `${largest} replicas against it`],
      ...sizes.map((size) => [
        size,
        size * concurrency,
        perSecond(size).toFixed(2),
        (perSecond(size) * sleepMs / 1000 / (size * concurrency)).toFixed(3),
        size === largest ? "" : `${linear(size).toFixed(3)} of linear`,
      ]),
    ]],
    faults: [
      ...sizes.filter((size) => linear(size) < LINEAR_LEAST).map((size) =>
        `${largest} replicas do ${linear(size).toFixed(3)} of what ${size} promise`
      ),
      ...(lost > 0 ? [`${lost} tickets without a label or dead-lettered`] : []),
    ],
  };
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}
