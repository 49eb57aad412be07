// Replay request: what is asked for, the progress on the way, and the summary.

import type { Filter } from "../filter.ts";
import type { CanaryResult } from "./canary.ts";

/** What is asked for. */
export interface ReplayRequest {
  readonly filter: Filter;
  /** Records a second; undefined: as fast as can be. */
  readonly rate: number | undefined;
  /** Replays no more than so many. */
  readonly max: number | undefined;
  /** Sends nothing. */
  readonly dryRun: boolean;
  /** So many go first, and the rest only when they have settled for good; 0: all at once. */
  readonly canary: number;
  /** How long the canaries may take, in ms. */
  readonly canaryTimeoutMs: number;
  /** One that was replayed so often already is left where it is. */
  readonly replaysMax: number;
}

/** How it ended. */
export type ReplayEnd = "done" | "dry-run" | "interrupted" | "canary-came-back" | "canary-not-settled";

/** What was done. */
export interface ReplaySummary {
  readonly end: ReplayEnd;
  /** Open dead letters that are meant and may be replayed, `max` applied. */
  readonly meant: number;
  readonly replayed: number;
  /** Left out: replayed too often already. */
  readonly looping: number;
  /** Left out: parked behind letters that are not replayed. */
  readonly blocked: number;
  /** Left out: they do not say where they came from. */
  readonly foreign: number;
  /** Left out: their values did not fit into the dead-letter topic. */
  readonly incomplete: number;
  readonly canary: CanaryResult | undefined;
}

/** Reports progress. */
export type ReplayProgress = (phase: "reading" | "canary" | "replaying", done: number, total: number) => void;
