// The rows the label store's statements take and give, to and from the core's types.

import type { Label } from "../core/label.ts";
import type {
  BeginRequest,
  BeginResult,
  FinishRequest,
  FinishResult,
  ReleaseRequest,
} from "../core/label_store.ts";
import type { Row } from "./database.ts";

/** Requests to begin, as a statement's one parameter; `ord` finds the request of a row again. */
export function beginItems(requests: readonly BeginRequest[], takeover: boolean): string {
  return JSON.stringify(
    requests.map(({ key, event: { position, atMs, replays = 0 }, claim, callsMax }, ord) => ({
      ord,
      ticket_id: key.ticketId,
      content_hash: key.contentHash,
      label_version: key.labelVersion,
      claim,
      topic: position?.topic,
      partition: position?.partition,
      record_offset: position?.offset.toString(),
      event_at_ms: atMs,
      replays,
      calls_max: callsMax,
      takeover,
    })),
  );
}

/** Claims to release, with what they cost. */
export function releaseItems(requests: readonly ReleaseRequest[]): string {
  return JSON.stringify(requests.map(({ key, claim, event: { replays = 0 }, failedCalls }, ord) => ({
    ord,
    ticket_id: key.ticketId,
    content_hash: key.contentHash,
    label_version: key.labelVersion,
    claim,
    replays,
    failed_calls: failedCalls,
  })));
}

/** Claims to renew. */
export function claimItems(requests: readonly BeginRequest[]): string {
  return JSON.stringify(requests.map(({ key, claim }, ord) => ({
    ord,
    ticket_id: key.ticketId,
    content_hash: key.contentHash,
    label_version: key.labelVersion,
    claim,
  })));
}

/** Stored labels to write to their tickets. */
export function applyItems(requests: readonly BeginRequest[]): string {
  return JSON.stringify(requests.map(({ key, event: { position, atMs } }, ord) => ({
    ord,
    ticket_id: key.ticketId,
    content_hash: key.contentHash,
    label_version: key.labelVersion,
    topic: position?.topic,
    partition: position?.partition,
    record_offset: position?.offset.toString(),
    event_at_ms: atMs,
  })));
}

/** Labels to store. Whatever a provider said is made to fit its column: a label that is paid for is never refused. */
export function labelItems(requests: readonly FinishRequest[]): string {
  return JSON.stringify(requests.map(({ key, label }, ord) => ({
    ord,
    ticket_id: key.ticketId,
    content_hash: key.contentHash,
    label_version: key.labelVersion,
    category: label.category,
    confidence: label.confidence === null ? null : Math.min(Math.max(label.confidence, 0), 1),
    reason: storable(label.reason),
    language: storable(label.language),
    model: storable(label.model),
    input_tokens: wholeOf(label.inputTokens),
    output_tokens: wholeOf(label.outputTokens),
    cost_usd: label.costUsd,
    truncated: label.truncated,
  })));
}

/** Postgres stores no NUL, and no half of a surrogate pair. */
function storable(text: string | null): string | null {
  return text === null ? null : text.toWellFormed().replaceAll("\u0000", "");
}

function wholeOf(count: number): number {
  return Math.min(Math.max(Math.round(count), 0), 2_147_483_647) || 0;
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
  readonly verdict: "not_found" | "overridden" | "stale" | "known" | "spent" | "buy";
  readonly claims: number | null;
  readonly failed_calls: number;
  readonly applied: boolean | null;
  /** Timestamps overruled offsets. */
  readonly contradicted: boolean | null;
  readonly fence_category: string | null;
  readonly override_category: string | null;
}

/** A row of the `apply` statement: a ticket that was not written. */
export interface ApplyRow extends Row {
  readonly ord: number;
  readonly locked: boolean;
  readonly present: boolean;
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
      return row.claims === null ? { kind: "held" } : {
        kind: "claimed",
        claims: row.claims,
        failedCalls: row.failed_calls,
      };
    case "spent":
      return { kind: "spent", failedCalls: row.failed_calls };
    default: {
      const impossible: never = row.verdict;
      throw new Error(`Unknown verdict ${impossible}`);
    }
  }
}

/** See {@link FinishResult}. */
export function applyResultOf({ locked, present }: ApplyRow): FinishResult {
  if (!present) return { kind: "not_found" };
  return { kind: locked ? "superseded" : "row_locked" };
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
