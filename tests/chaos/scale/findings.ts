// What the scale campaign found: a table over time, what the burst came to, and what must not be. Pure.

import type { Findings, Table } from "../stage/report.ts";

/** The load. */
export interface ScaleLoad {
  readonly tickets: number;
  /** Time of the LLM's sleep. */
  readonly sleepMs: number;
  /** `TARGET_DRAIN_SECONDS`. */
  readonly drainSeconds: number;
  /** `WORKER_IDLE_MS`. */
  readonly idleMs: number;
}

/** The stack at one moment. */
export interface ScaleSample {
  /** Since the burst began. */
  readonly atMs: number;
  readonly backlog: number;
  /** What the consumer's `GET /scale` asks for. */
  readonly asked: number;
  /** What `start` wants. */
  readonly wanted: number;
  /** Worker processes there are. */
  readonly processes: number;
  /** Replicas the consumer sends to. */
  readonly replicas: number;
  readonly busyPermits: number;
  readonly settled: number;
  /** Connections to the database. */
  readonly connections: number;
}

/** What the burst came to. */
export interface ScaleOutcome {
  readonly samples: readonly ScaleSample[];
  /** From the first replica's start until it listened, as the screen says it. */
  readonly processStartMs: number;
  /** From the first record of the burst until the first label. */
  readonly firstLabelMs: number;
  /** From the first record of the burst until the last label. */
  readonly allLabelledMs: number;
  readonly unlabelled: number;
  readonly deadLettered: number;
  /** Answers of the LLM in the burst. */
  readonly llmCalls: number;
  /** Attempts of the burst that did not come back with a 2xx, by outcome. */
  readonly otherAttempts: Readonly<Record<string, number>>;
  /** What `start` said about its replicas. */
  readonly lines: readonly string[];
}

/** `WORKER_MAX`. */
export const REPLICAS_MAX = 10;

/** The tables and the faults. */
export function scaleFindings(load: ScaleLoad, outcome: ScaleOutcome): Findings {
  const { tickets, sleepMs, drainSeconds, idleMs } = load;
  return {
    title:
      `Zero to ten to zero: a burst of ${tickets} tickets on deno task start, an LLM that sleeps ${sleepMs} ms`,
    command:
      `deno task campaign:scale --tickets ${tickets} --sleep-ms ${sleepMs} --drain-seconds ${drainSeconds} --idle-ms ${idleMs}`,
    tables: [overTime(outcome.samples), inShort(load, outcome), [
      ["start said"],
      ...outcome.lines.map((line) => [line]),
    ]],
    faults: faultsOf(load, outcome),
  };
}

function overTime(samples: readonly ScaleSample[]): Table {
  return [
    [
      "second",
      "backlog",
      "/scale asks",
      "start wants",
      "processes",
      "take work",
      "busy permits",
      "settled",
      "connections",
    ],
    ...thinned(samples).map((each) => [
      (each.atMs / 1000).toFixed(0),
      each.backlog,
      each.asked,
      each.wanted,
      each.processes,
      each.replicas,
      each.busyPermits,
      each.settled,
      each.connections,
    ]),
  ];
}

/** While everything stays as it is, one row is enough. */
function thinned(samples: readonly ScaleSample[]): readonly ScaleSample[] {
  const facts = ({ atMs: _at, connections: _connections, ...rest }: ScaleSample) => JSON.stringify(rest);
  return samples.filter((sample, at) => {
    const [before, after] = [samples[at - 1], samples[at + 1]];
    return before === undefined || after === undefined || facts(before) !== facts(sample);
  });
}

function inShort({ tickets, sleepMs }: ScaleLoad, outcome: ScaleOutcome): Table {
  const { processStartMs, firstLabelMs, allLabelledMs, unlabelled, deadLettered, llmCalls } = outcome;
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
  return [
    ["measure", "value"],
    ["cold start: the process", `${Math.round(processStartMs)} ms`],
    [
      "cold start: first record → first label, the LLM's sleep left out",
      `${Math.round(firstLabelMs - sleepMs)} ms`,
    ],
    ["first record → last label", seconds(allLabelledMs)],
    ["most replicas that took work", most(outcome.samples, ({ replicas }) => replicas)],
    ["most permits busy", most(outcome.samples, ({ busyPermits }) => busyPermits)],
    ["most connections to the database", most(outcome.samples, ({ connections }) => connections)],
    ["tickets without a label", unlabelled],
    ["dead letters", deadLettered],
    ["LLM calls beyond one a ticket", llmCalls - tickets],
    [
      "attempts without a 2xx",
      Object.entries(outcome.otherAttempts).map((each) => each.join(": ")).join(", ") || 0,
    ],
  ];
}

function faultsOf({ tickets }: ScaleLoad, outcome: ScaleOutcome): string[] {
  const { samples, unlabelled, deadLettered, llmCalls, otherAttempts } = outcome;
  const last = samples.at(-1);
  const reached = most(samples, ({ replicas }) => replicas);
  const faults: [boolean, string][] = [
    [samples[0]?.processes !== 0, `the burst met ${samples[0]?.processes} replicas instead of none`],
    [reached !== REPLICAS_MAX, `${reached} replicas took work at most, not ${REPLICAS_MAX}`],
    [
      most(samples, ({ processes }) => processes) > REPLICAS_MAX,
      `more than ${REPLICAS_MAX} worker processes`,
    ],
    [last?.processes !== 0, `${last?.processes} worker processes are left at the end`],
    [unlabelled > 0, `${unlabelled} tickets without a label`],
    [deadLettered > 0, `${deadLettered} dead letters`],
    [llmCalls > tickets, `${llmCalls - tickets} LLM calls too many`],
    // A draining replica answers 503: none of these means that nothing was sent after its notice.
    ...Object.entries(otherAttempts).map(([outcome, count]): [boolean, string] => [
      count > 0,
      `${count} attempts came to ${outcome}`,
    ]),
  ];
  return faults.filter(([is]) => is).map(([, fault]) => fault);
}

function most(samples: readonly ScaleSample[], pick: (sample: ScaleSample) => number): number {
  return Math.max(0, ...samples.map(pick));
}
