// The label store's answers, from rows to the core's types.

import type { Label } from "../core/label.ts";
import type { BeginResult, FinishResult } from "../core/label_store.ts";
import type { Row } from "./database.ts";

/** The columns of a joined label; all null where there is none. */
export interface LabelRow extends Row {
  readonly label_category: string | null;
  readonly found_version: string | null;
  readonly confidence: number | null;
  readonly reason: string | null;
  readonly language: string | null;
  readonly model: string | null;
  readonly input_tokens: number | null;
  readonly output_tokens: number | null;
  readonly cost_usd: number | null;
  readonly truncated: boolean | null;
}

/** A row of the `begin` statement. */
export interface BegunRow extends LabelRow {
  readonly ord: number;
  readonly verdict: "not_found" | "overridden" | "stale" | "known" | "buy";
  readonly claims: number | null;
  readonly applied: boolean | null;
  readonly fence_category: string | null;
  readonly override_category: string | null;
}

/** A row of the `finish` statement. */
export interface FinishedRow extends Row {
  readonly ord: number;
  readonly stored: boolean;
  readonly ready: boolean;
  readonly written: boolean;
}

/** See {@link BeginResult}. */
export function begunOf(row: BegunRow): BeginResult {
  const label = labelOf(row);
  switch (row.verdict) {
    case "not_found":
      return { kind: "not_found" };
    case "overridden":
      return { kind: "overridden", current: { category: row.override_category ?? "", label: undefined } };
    case "stale":
      return { kind: "stale", current: { category: row.fence_category ?? "", label } };
    case "known":
      return label === undefined ? { kind: "held" } : { kind: "known", label, applied: row.applied === true };
    case "buy":
      return row.claims === null ? { kind: "held" } : { kind: "claimed", claims: row.claims };
    default: {
      const impossible: never = row.verdict;
      throw new Error(`Unknown verdict ${impossible}`);
    }
  }
}

/** See {@link FinishResult}. */
export function finishedOf({ written, ready, stored }: FinishedRow): FinishResult {
  if (written) return { kind: "written" };
  return stored && !ready ? { kind: "not_found" } : { kind: "superseded" };
}

/** The label in a row, if it has one. */
export function labelOf(row: LabelRow): Label | undefined {
  if (row.label_category === null) return undefined;
  return {
    category: row.label_category,
    confidence: row.confidence,
    reason: row.reason,
    language: row.language,
    model: row.model ?? "",
    labelVersion: row.found_version ?? "",
    inputTokens: row.input_tokens ?? 0,
    outputTokens: row.output_tokens ?? 0,
    costUsd: row.cost_usd,
    truncated: row.truncated ?? false,
  };
}
