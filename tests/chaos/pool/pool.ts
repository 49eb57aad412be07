// The pool campaign: under load a replica has one fault after another, and the others must lose nothing by it.

import { until } from "../../support/until.ts";
import { Feeder } from "../stage/fleet.ts";
import { type PhaseName, PoolAct } from "./phases.ts";
import { poolFindings } from "./findings.ts";
import type { Phase } from "./measures.ts";
import { PoolStage } from "./setup.ts";
import type { Findings } from "../stage/report.ts";

/** How many times slower the slow replica's LLM is. */
const SLOWER = 10;
/** Tickets that wait at least, in seconds of the whole pool's work. */
const BACKLOG_SECONDS = 15;
const STANDSTILL_MAX_MS = 120_000;

/** Under what load, and how long everything lasts. */
export interface PoolCampaignOptions {
  readonly brokers: string;
  readonly databaseUrl: string;
  /** Replicas behind the name at first; one more joins and leaves. */
  readonly replicas: number;
  readonly concurrency: number;
  /** Mean time of the LLM's sleep. */
  readonly sleepMs: number;
  readonly phases: readonly PhaseName[];
  /** Length of each phase but the 500s. */
  readonly phaseSeconds: number;
  /** How long a replica answers 500. */
  readonly rejectingSeconds: number;
  readonly report: (what: string) => void;
}

/** Runs the campaign to its end: all records committed, everything stopped cleanly. */
export async function runPoolCampaign(options: PoolCampaignOptions): Promise<Findings> {
  const { replicas, concurrency, sleepMs, report } = options;
  await using stage = await PoolStage.start(
    { ...options, replicas: replicas + 1, sleepMaxMs: sleepMs * SLOWER },
    replicas,
  );
  const perSecond = replicas * concurrency * 1000 / sleepMs;
  const phases: Phase[] = [];
  {
    await using _feeder = new Feeder(stage, Math.ceil(perSecond * BACKLOG_SECONDS));
    const act = new PoolAct(stage, { ...options, slower: SLOWER });
    for (const name of options.phases) {
      phases.push(
        await act[name]().catch((error) => {
          throw new Error(`${error.message}\n${stage.diagnosis()}`, { cause: error });
        }),
      );
    }
  }
  report("no more tickets: waiting for a lag of 0");
  const isZero = async () => await stage.lag() === 0;
  await until("a lag of 0", isZero, { timeoutMs: STANDSTILL_MAX_MS, everyMs: 250 }).catch((error) => {
    throw new Error(`${error.message}\n${stage.diagnosis()}`);
  });
  await stage.stop();
  return await poolFindings(options, stage, phases);
}
