// What `produce` prints while it sends and at its end. Pure.

import { duration, number } from "../terminal.ts";
import type { SendSummary } from "./ticket_sender.ts";

/** How it went. */
export interface ProduceSummary extends SendSummary {
  readonly topic: string;
  readonly tookMs: number;
  /** Tickets of the input, bad ones too; undefined where they were not counted. */
  readonly total: number | undefined;
}

/** How much is done, 0 to 1, and of how many tickets where that is known. */
export interface Share {
  readonly share: number;
  readonly total?: number;
}

const BAR_WIDTH = 24;
/** An estimate before this time is no estimate, in ms. */
const ESTIMATED_AFTER_MS = 2_000;

/** `[████····] 1,200 of 4,000 tickets, about 12 s to go`; without an end only how many are sent. */
export function progressText({ sent, bad }: SendSummary, done: Share | undefined, tookMs: number): string {
  const wrong = bad > 0 ? `, ${number(bad)} bad` : "";
  if (done === undefined) return `${number(sent)} tickets sent${wrong}`;
  const { share, total = Math.round((sent + bad) / Math.max(share, 0.001)) } = done;
  const full = Math.round(share * BAR_WIDTH);
  const of = `${number(sent)} of ${done.total === undefined ? "about " : ""}${number(total)} tickets${wrong}`;
  const left = tookMs < ESTIMATED_AFTER_MS || share === 0
    ? ""
    : `, ${duration(tookMs * (1 - share) / share)} to go`;
  return `[${"█".repeat(full)}${"·".repeat(BAR_WIDTH - full)}] ${of}${left}`;
}

/** The last line: for people, or for programs. */
export function summaryText(summary: ProduceSummary, json: boolean): string {
  const { sent, bytes, inserted, bad, topic, tookMs, total } = summary;
  if (json) return `${JSON.stringify({ topic, sent, bytes, inserted, bad, took_ms: tookMs })}\n`;
  const of = total === undefined ? "" : ` of ${number(total)}`;
  const parts = [
    `${number(sent)}${of} tickets (${size(bytes)}) sent to ${topic} in ${(tookMs / 1000).toFixed(1)} s`,
  ];
  if (inserted > 0) parts.push(`${number(inserted)} new rows`);
  if (bad > 0) parts.push(`${number(bad)} were bad and not sent`);
  return `${parts.join(", ")}\n`;
}

function size(bytes: number): string {
  return bytes < 1_000_000 ? `${(bytes / 1000).toFixed(1)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
