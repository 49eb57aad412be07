// Judges what the crash campaign measured against what is promised of a crash, and puts it into tables.

import type { CrashOptions, CrashResult, Kill } from "./crash.ts";
import type { Findings, Table } from "../stage/report.ts";

/** `COMMIT_INTERVAL_MS` of the campaign (the default), and what a commit itself may take on a busy machine. */
const COMMIT_INTERVAL_MS = 1000;
const COMMIT_TAKES_MS = 1000;

/** Records that came again at a kill although a commit covered them: never allowed. */
export function unexplained({ sentAgain, inFlight, settledSinceCommit }: Kill): number {
  return sentAgain.difference(inFlight).difference(settledSinceCommit).size;
}

/** Everything that must not be, in sentences. */
export function crashFaults(options: CrashOptions, result: CrashResult): string[] {
  const { kills, unlabelled, tickets, llmCalls, deadLetters } = result;
  const beyond = llmCalls - tickets;
  const lostWithReplica = options.kill === "worker" ? sum(kills.map(({ inFlight }) => inFlight.size)) : 0;
  const againAnyway = options.kill === "consumer" ? sum(kills.map(unexplained)) : 0;
  const older = kills.filter((kill) => kill.oldestUncommittedMs > COMMIT_INTERVAL_MS + COMMIT_TAKES_MS);
  return [
    [tickets !== options.tickets, `${tickets} tickets are in the table instead of ${options.tickets}`],
    [unlabelled > 0, `${unlabelled} tickets are without a label`],
    [kills.length !== options.kills, `only ${kills.length} kills`],
    [againAnyway > 0, `${againAnyway} committed records were delivered again`],
    [
      older.length > 0,
      `records settled ${older[0]?.oldestUncommittedMs} ms before a kill were not committed`,
    ],
    [beyond < 0, `the LLM was asked ${-beyond} times less than there are tickets`],
    [beyond > lostWithReplica, `${beyond} LLM calls beyond one a ticket, ${lostWithReplica} are explained`],
    [deadLetters > 0, `${deadLetters} dead letters`],
  ].flatMap(([isSo, sentence]) => isSo ? [String(sentence)] : []);
}

/** The whole result for people. */
export function crashFindings(options: CrashOptions, result: CrashResult): Findings {
  const { tickets, partitions, kills, kill, replicas, concurrency, latencyMs } = options;
  const flags = `--tickets ${tickets} --partitions ${partitions} --kills ${kills} --kill ${kill}`;
  const load = `${tickets} tickets, ${partitions} partitions, ${replicas} × ${concurrency} permits`;
  return {
    title: `${load}, LLM ${latencyMs} ms with a heavy tail, ${kill} killed with -9 ${kills} times`,
    command: `deno task campaign:crash ${flags}`,
    tables: [kill === "consumer" ? consumerKills(result) : workerKills(result), totals(result)],
    faults: crashFaults(options, result),
  };
}

function consumerKills({ kills }: CrashResult): Table {
  return [
    [
      "kill",
      "settled before",
      "in flight",
      "settled since the last commit",
      "oldest of these (ms)",
      "delivered again",
      "unexplained",
    ],
    ...kills.map((kill, index) => [
      index + 1,
      kill.settled,
      kill.inFlight.size,
      kill.settledSinceCommit.size,
      kill.oldestUncommittedMs,
      kill.sentAgain.size,
      unexplained(kill),
    ]),
  ];
}

function workerKills({ kills }: CrashResult): Table {
  return [
    ["kill", "settled before", "in flight on the replica", "of these sent again"],
    ...kills.map((kill, index) => [
      index + 1,
      kill.settled,
      kill.inFlight.size,
      kill.sentAgain.intersection(kill.inFlight).size,
    ]),
  ];
}

function totals(result: CrashResult): Table {
  const again = [...result.ticketsByPosts].filter(([posts]) => posts > 1);
  const list = (counts: Iterable<readonly [string | number, number]>) =>
    [...counts].map(([what, count]) => `${what}: ${count}`).join(", ");
  return [
    ["measured", "value"],
    ["tickets without a label", `${result.unlabelled} of ${result.tickets}`],
    ["tickets sent more than once", sum(again.map(([, tickets]) => tickets))],
    ["tickets by number of POSTs", list(result.ticketsByPosts)],
    ["POSTs by answer", list(result.postsByEnd)],
    ["LLM calls", `${result.llmCalls}, ${result.llmCalls - result.tickets} beyond one a ticket`],
    ["dead letters", result.deadLetters],
    ["first start to lag 0", `${result.seconds.toFixed(1)} s`],
  ];
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
