// LetterCause: why a record is a dead letter, as values; as text only where people or headers need it.

import { type Outcome, outcomeLabel } from "../../shared/contract/outcome.ts";

/** What dead letters are grouped by; empty where it is not known. */
export interface LetterCause {
  /** `rejected`, `attempts-exhausted`, `operator`, … */
  readonly reason: string;
  /** What the last attempt came to: a status, `timeout`, `refused`, `reset`. */
  readonly status: string;
  /** The `type` of the answer's RFC 9457 body. */
  readonly problem: string;
}

/** The cause of a record that is dead-lettered now. */
export function causeOf(reason: string | undefined, last: Outcome | undefined): LetterCause {
  return {
    reason: reason ?? "",
    status: last === undefined ? "" : outcomeLabel(last),
    problem: last?.kind === "answer" ? last.problemType ?? "" : "",
  };
}

/** `rejected 422 /problems/no-subject`. */
export function causeText({ reason, status, problem }: LetterCause): string {
  return [reason, status, problem].filter(Boolean).join(" ") || "unknown";
}

/** What {@link causeText} wrote. Neither a reason nor a status has a space. */
export function parseCause(text: string): LetterCause {
  const [, reason = "", status = "", problem = ""] = /^(\S*)(?: (\S+)(?: (.+))?)?$/s.exec(text) ?? [];
  return { reason, status, problem };
}
