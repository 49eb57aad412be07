// What `produce` prints while it sends and at its end. Pure.

import type { SendSummary } from "./ticket_sender.ts";

/** How it went. */
export interface ProduceSummary extends SendSummary {
  readonly topic: string;
  readonly tookMs: number;
}

const BAR_WIDTH = 24;

/** A bar where the end is known, and how many tickets are sent. */
export function progressText({ sent, bad }: SendSummary, share: number | undefined): string {
  const count = `${sent} tickets sent${bad > 0 ? `, ${bad} bad lines` : ""}`;
  if (share === undefined) return count;
  const full = Math.round(share * BAR_WIDTH);
  return `[${"█".repeat(full)}${"·".repeat(BAR_WIDTH - full)}] ${Math.round(share * 100)}%  ${count}`;
}

/** The last line: for people, or for programs. */
export function summaryText(summary: ProduceSummary, json: boolean): string {
  const { sent, bytes, inserted, bad, topic, tookMs } = summary;
  if (json) return `${JSON.stringify({ topic, sent, bytes, inserted, bad, took_ms: tookMs })}\n`;
  const parts = [`${sent} tickets (${size(bytes)}) sent to ${topic} in ${(tookMs / 1000).toFixed(1)} s`];
  if (inserted > 0) parts.push(`${inserted} new rows`);
  if (bad > 0) parts.push(`${bad} lines were bad and not sent`);
  return `${parts.join(", ")}\n`;
}

function size(bytes: number): string {
  return bytes < 1_000_000 ? `${(bytes / 1000).toFixed(1)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
