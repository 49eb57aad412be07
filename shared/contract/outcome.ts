// The outcome of one attempt, as plain data: the pool makes it, the status contract reads it.

/** What the worker may override its status with (`Ackpool-Action`). */
export type Action = "settle" | "retry" | "dead-letter";

/** The worker answered, whatever the status. */
export interface Answer {
  readonly kind: "answer";
  readonly status: number;
  /** `Retry-After` as a wait in ms from when the answer arrived. */
  readonly retryAfterMs?: number;
  readonly action?: Action;
  /** The `type` of an RFC 9457 body. */
  readonly problemType?: string;
  /** First 1 KiB of the answer's body; only kept where it is not a success. */
  readonly excerpt?: string;
  /** Who gave it, where it is not a success: the replica's address. */
  readonly replica?: string;
}

/** No answer came. The worker may or may not have done the work. */
export interface NoAnswer {
  readonly kind: "timeout" | "refused" | "reset";
  /** What the client library said, for people. */
  readonly detail: string;
  /** The time limit it ran into: for a connection, or for the answer. */
  readonly limit?: "connect" | "first-byte";
  /** Who was asked: the replica's address. */
  readonly replica?: string;
}

/** One attempt's end. */
export type Outcome = Answer | NoAnswer;

/** An outcome in a few words, for logs, metrics and dead letters: `503`, `timeout`, `refused`. */
export function outcomeLabel(outcome: Outcome): string {
  return outcome.kind === "answer" ? String(outcome.status) : outcome.kind;
}

const PROBLEM_CHARS_MAX = 200;

/** What was said beside the status, in one line: an RFC 9457 body's detail or title, or the client library's words. */
export function problemText(outcome: Outcome): string | undefined {
  return lineOf(outcome.kind === "answer" ? problemOf(outcome.excerpt, "detail", "title") : outcome.detail);
}

/** What the worker says is to be done, in one line: the member `remedy` of an RFC 9457 body. */
export function problemRemedy(outcome: Outcome): string | undefined {
  return lineOf(outcome.kind === "answer" ? problemOf(outcome.excerpt, "remedy") : undefined);
}

function lineOf(text: string | undefined): string | undefined {
  // deno-lint-ignore no-control-regex
  const line = text?.replace(/[\u0000-\u001f\u007f-\u009f]+/g, " ").trim();
  if (line === undefined || line === "") return undefined;
  return line.length > PROBLEM_CHARS_MAX ? `${line.slice(0, PROBLEM_CHARS_MAX - 1)}…` : line;
}

/** The first of these members that is text. Bodies of another kind may hold anything. */
function problemOf(excerpt = "", ...members: readonly string[]): string | undefined {
  try {
    const body = Object(JSON.parse(excerpt)) as Readonly<Record<string, unknown>>;
    return members.map((member) => body[member]).find((text) => typeof text === "string");
  } catch {
    return undefined;
  }
}
