// What the pool campaign's phases mean: the tables, and what counts as a fault.

import { countLabels } from "../stage/load.ts";
import type { PoolCampaignOptions } from "./pool.ts";
import { PHASES } from "./phases.ts";
import { type Capacity, measurePhase, type Phase, type PhaseMeasures } from "./measures.ts";
import type { PoolStage } from "./setup.ts";
import type { Findings, Table } from "../stage/report.ts";

/** The least part of the healthy replicas' capacity that must be used. */
export const SHARE_LEAST = 0.9;

/** How a fault about that ends. */
export const SHARE_FAULT = "of the healthy replicas' capacity";

type Measured = readonly [Phase, PhaseMeasures];

/** The findings of a campaign that ended. */
export async function poolFindings(
  options: PoolCampaignOptions,
  stage: PoolStage,
  phases: readonly Phase[],
): Promise<Findings> {
  const { replicas, concurrency, sleepMs, phaseSeconds, rejectingSeconds } = options;
  const replica: Capacity = { permits: concurrency, perSecond: concurrency * 1000 / sleepMs };
  const measured = phases.map((phase) => [phase, measurePhase(stage.journal, phase, replica)] as const);
  const { tickets, unlabelled } = await countLabels(stage.databaseUrl);
  const deadLetters = await stage.deadLetters();
  return {
    title: `What befalls a replica: ${replicas} × ${concurrency} permits, an LLM that sleeps ${sleepMs} ms`,
    command: `deno task campaign:pool --replicas ${replicas} --sleep-ms ${sleepMs} ` +
      `--phase-seconds ${phaseSeconds} --rejecting-seconds ${rejectingSeconds}` +
      (options.phases.length === PHASES.length ? "" : ` --phases ${options.phases.join(",")}`),
    tables: [
      phaseTable(measured, replica),
      [
        ["measured", "value"],
        ["tickets without a label", `${unlabelled} of ${tickets}`],
        ["dead letters", deadLetters],
        ["POSTs", stage.journal.posts.length],
        ["LLM calls beyond one a ticket", stage.llmCalls - tickets],
      ],
    ],
    faults: [
      ...poolFaults(measured),
      unlabelled > 0 ? `${unlabelled} tickets are without a label` : "",
      tickets === stage.tickets ? "" : `${tickets} tickets are in the table instead of ${stage.tickets}`,
      deadLetters > 0 ? `${deadLetters} dead letters` : "",
    ].filter((fault) => fault !== ""),
  };
}

/** What must not be in a phase. */
export function poolFaults(measured: readonly Measured[]): string[] {
  return measured.flatMap(([{ name }, { share, afterNotice = 0 }]) => [
    share < SHARE_LEAST ? `${name}: ${percent(share)} ${SHARE_FAULT}` : "",
    afterNotice > 0 ? `${name}: ${afterNotice} attempts after the notice` : "",
  ]).filter((fault) => fault !== "");
}

function phaseTable(measured: readonly Measured[], replica: Capacity): Table {
  return [
    [
      "what happens",
      "seconds",
      "healthy replicas",
      "their capacity a second",
      "settled a second",
      "of it",
      "their permits in use",
      "attempts that failed",
      "after the notice",
      "all permits in use after (s)",
    ],
    ...measured.map(([phase, { perSecond, share, busy, failed, afterNotice }]) => [
      phase.name,
      ((phase.toMs - phase.fromMs) / 1000).toFixed(0),
      phase.healthy.length,
      (phase.healthy.length * replica.perSecond).toFixed(1),
      perSecond.toFixed(1),
      percent(share),
      percent(busy),
      [...failed].map(([end, count]) => `${end}: ${count}`).join(", ") || "0",
      afterNotice ?? "",
      phase.backInMs === undefined ? "" : (phase.backInMs / 1000).toFixed(1),
    ]),
  ];
}

const percent = (share: number): string => `${Math.round(share * 100)}%`;
