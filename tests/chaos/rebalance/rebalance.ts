// The rebalance campaign: consumers join, leave, are restarted and killed while tickets keep coming.

import { parseIdempotencyKey } from "../../../shared/contract/protocol.ts";
import { until } from "../../support/until.ts";
import { committedToTheEnd } from "../crash/crash.ts";
import { Deployment } from "../stage/deployment.ts";
import { Feeder, Fleet } from "../stage/fleet.ts";
import { type FlowMeasures, measureFlow, type Stretch } from "../stage/flow_measures.ts";
import { countLabels } from "../stage/load.ts";
import type { Findings } from "../stage/report.ts";

const STALL_MAX_MS = 30_000;

/** Under what load, and how much coming and going. */
export interface RebalanceOptions {
  readonly brokers: string;
  readonly databaseUrl: string;
  readonly partitions: number;
  readonly replicas: number;
  readonly concurrency: number;
  readonly latencyMs: number;
  readonly sessionTimeoutMs: number;
  /** Joins and leaves, spread evenly over `changesSeconds`. */
  readonly changes: number;
  readonly changesSeconds: number;
  readonly report: (what: string) => void;
}

/** Runs the campaign to its end: all records committed, everything stopped cleanly. */
export async function runRebalanceCampaign(options: RebalanceOptions): Promise<Findings> {
  await using deployment = await Deployment.start({
    ...options,
    consumerEnv: { KAFKA_SESSION_TIMEOUT_MS: String(options.sessionTimeoutMs) },
  });
  const fleet = new Fleet(deployment);
  const stretches: Stretch[] = [];
  const stretch = async (name: string, act: () => Promise<void>) => {
    options.report(name);
    const fromMs = Date.now();
    await act();
    await everyPartitionMoves(deployment);
    stretches.push({ name, fromMs, toMs: Date.now() });
  };
  {
    await using _feeder = new Feeder(deployment, options.replicas * options.concurrency * 60);
    await stretch("two consumers start", () => both(() => fleet.join()));
    await stretch("one joins", () => fleet.join());
    await stretch("one is killed with -9", () => fleet.kill());
    await stretch("rolling restart", () => both(() => fleet.leave().then(() => fleet.join())));
    await stretch(
      `${options.changes} joins and leaves in ${options.changesSeconds} s`,
      () => comingAndGoing(fleet, options),
    );
  }
  options.report("no more tickets: waiting for a lag of 0");
  await committedToTheEnd(deployment);
  while (fleet.size > 0) await fleet.leave();
  await deployment.stopReplicas();
  return await findings(options, deployment, stretches);
}

async function both(act: () => Promise<void>): Promise<void> {
  await act();
  await act();
}

/** Two consumers become three, four, three, two and so on, each change at its time. */
async function comingAndGoing(
  fleet: Fleet,
  { changes, changesSeconds, report }: RebalanceOptions,
): Promise<void> {
  const startedMs = performance.now();
  for (let change = 0; change < changes; change++) {
    const dueMs = startedMs + change * 1000 * changesSeconds / changes;
    await new Promise((resolve) => setTimeout(resolve, dueMs - performance.now()));
    report(`change ${change + 1}: one ${change % 4 < 2 ? "joins" : "leaves"}`);
    await (change % 4 < 2 ? fleet.join() : fleet.leave());
  }
}

async function everyPartitionMoves({ journal, options }: Deployment): Promise<void> {
  const sinceMs = Date.now();
  await until("a settled record in every partition", () => {
    const moved = [...journal.settled].filter(([, atMs]) => atMs > sinceMs);
    const partitions = new Set(moved.map(([key]) => parseIdempotencyKey(key)?.partition));
    return partitions.size === options.partitions;
  }, { timeoutMs: 120_000, everyMs: 100 });
}

async function findings(
  options: RebalanceOptions,
  deployment: Deployment,
  stretches: readonly Stretch[],
): Promise<Findings> {
  const flows = stretches.map((stretch) =>
    [stretch, measureFlow(deployment.journal, stretch, options.partitions)] as const
  );
  const { tickets, unlabelled } = await countLabels(deployment.databaseUrl);
  const llmCalls = await deployment.llmCalls();
  const deadLetters = await deployment.offsets.count(deployment.deadLetterTopic);
  const beyond = llmCalls - tickets;
  const stalled = flows.filter(([, flow]) => flow.partitionStallMs > STALL_MAX_MS);
  const faults = [
    unlabelled > 0 ? `${unlabelled} tickets are without a label` : "",
    beyond !== 0 ? `${beyond} LLM calls beyond one a ticket` : "",
    deadLetters > 0 ? `${deadLetters} dead letters` : "",
    ...stalled.map(([{ name }, flow]) => `${name}: a partition stood still for ${flow.partitionStallMs} ms`),
  ].filter((fault) => fault !== "");
  return {
    title: `${tickets} tickets over ${options.partitions} partitions while consumers come and go`,
    command: `deno task campaign:rebalance --changes ${options.changes} --seconds ${options.changesSeconds}`,
    tables: [
      flowTable(flows),
      [
        ["measured", "value"],
        ["tickets without a label", `${unlabelled} of ${tickets}`],
        ["LLM calls beyond one a ticket", beyond],
        ["dead letters", deadLetters],
      ],
    ],
    faults,
  };
}

function flowTable(flows: readonly (readonly [Stretch, FlowMeasures])[]): (string | number)[][] {
  const seconds = (ms: number) => (ms / 1000).toFixed(1);
  return [
    [
      "stretch",
      "seconds",
      "settled",
      "delivered again",
      "of these settled before",
      "longest stall (s)",
      "of a partition (s)",
    ],
    ...flows.map(([{ name, fromMs, toMs }, flow]) => [
      name,
      seconds(toMs - fromMs),
      flow.settled,
      flow.redelivered,
      flow.redeliveredSettled,
      seconds(flow.stallMs),
      seconds(flow.partitionStallMs),
    ]),
  ];
}
