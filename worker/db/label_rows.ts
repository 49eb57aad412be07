// The rows the label store's statements take and give, to and from the core's types.

import type { Label } from "../core/label.ts";
import type { BeginRequest, BeginResult, FinishRequest, FinishResult } from "../core/label_store.ts";
import type { Row } from "./database.ts";

/** Requests as the one parameter of a statement; `ord` finds the request of a row again. */
export function itemsOf(requests: readonly (BeginRequest | FinishRequest)[]): string {
  return JSON.stringify(
    requests.map((request, ord) => "label" in request ? finishItem(request, ord) : beginItem(request, ord)),
  );
}

function beginItem({ key, event: { position, atMs }, claim }: BeginRequest, ord: number) {
  return {
    ord,
    ticket_id: key.ticketId,
    content_hash: key.contentHash,
    label_version: key.labelVersion,
    claim,
    topic: position?.topic,
    partition: position?.partition,
    record_offset: position?.offset.toString(),
    event_at_ms: atMs,
  };
}

/** Written out, since objects put together from others cost several times as much, and this is done for every ticket. */
function finishItem({ key, event: { position, atMs }, claim, fresh, label }: FinishRequest, ord: number) {
  return {
    ord,
    ticket_id: key.ticketId,
    content_hash: key.contentHash,
    label_version: key.labelVersion,
    claim,
    topic: position?.topic,
    partition: position?.partition,
    record_offset: position?.offset.toString(),
    event_at_ms: atMs,
    fresh,
    category: label.category,
    confidence: label.confidence,
    reason: label.reason,
    language: label.language,
    model: label.model,
    input_tokens: label.inputTokens,
    output_tokens: label.outputTokens,
    cost_usd: label.costUsd,
    truncated: label.truncated,
  };
}

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
export interface BeginRow extends LabelRow {
  readonly ord: number;
  readonly verdict: "not_found" | "overridden" | "stale" | "known" | "buy";
  readonly claims: number | null;
  readonly applied: boolean | null;
  readonly fence_category: string | null;
  readonly override_category: string | null;
}

/** A row of the `finish` statement. */
export interface FinishRow extends Row {
  readonly ord: number;
  readonly stored: boolean;
  readonly ready: boolean;
  readonly written: boolean;
}

/** See {@link BeginResult}. */
export function beginResultOf(row: BeginRow): BeginResult {
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
export function finishResultOf({ written, ready, stored }: FinishRow): FinishResult {
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
