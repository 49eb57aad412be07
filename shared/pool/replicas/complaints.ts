// Complaints: what a replica's `/readyz` says is wrong with it, read from an answer that may be anybody's.

import type { Cause } from "../../http/health.ts";

/** One cause of a replica that is not ready. */
export type Complaint = Omit<Cause, "sinceMs">;

const COMPLAINTS_MAX = 5;
const CHARS_MAX = 300;

/** What the body of a `/readyz` that is not ready says; where that is nothing of ours, its status. */
export function complaintsIn(status: number, body: string): readonly Complaint[] {
  const causes = causesIn(body).slice(0, COMPLAINTS_MAX).map(complaintOf).filter((each) =>
    each !== undefined
  );
  if (causes.length > 0) return causes;
  return [{ name: "not-ready", detail: `/readyz answers ${status}`, remedy: "Look at this worker's log." }];
}

function causesIn(body: string): readonly unknown[] {
  try {
    const { causes } = JSON.parse(body) as { readonly causes?: unknown };
    return Array.isArray(causes) ? causes : [];
  } catch {
    return [];
  }
}

function complaintOf(cause: unknown): Complaint | undefined {
  const { name, detail, remedy } = Object(cause) as Readonly<Record<string, unknown>>;
  if (typeof name !== "string" || name === "") return undefined;
  return { name: plain(name), detail: plain(detail), remedy: plain(remedy) };
}

/** In one line, and not endless: whoever answers there may say anything. */
function plain(text: unknown): string {
  if (typeof text !== "string") return "";
  // deno-lint-ignore no-control-regex
  const line = text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, " ").trim();
  return line.length > CHARS_MAX ? `${line.slice(0, CHARS_MAX - 1)}…` : line;
}
