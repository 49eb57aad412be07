// The status contract: the one table that says what a worker's answer means. Code, tests, OpenAPI and README read it.

import { TICKET_NOT_FOUND } from "./protocol.ts";
import type { Outcome } from "./outcome.ts";

/** What is done about an attempt, by its response. */
export type Disposition = "settle" | "retry" | "dead_letter" | "pause";

/**
 * Whether a failed attempt counts against the record: `never`, `always`, or as the verdict says
 * (poison counts, outage does not).
 */
export type Counting = "never" | "always" | "verdict";

/** Whom the answer slows down: nobody, the replica that gave it, or the pool as a whole. */
export type Slows = "nobody" | "replica" | "pool";

/** One row of the contract. */
export interface Rule {
  readonly name: string;
  /** What the worker answers, in the README's words. */
  readonly answers: string;
  readonly disposition: Disposition;
  readonly counts: Counting;
  readonly slows: Slows;
  /** Why, in one sentence; the README's third column. */
  readonly because: string;
  readonly matches: (outcome: Outcome) => boolean;
}

const status = (...codes: number[]) => (outcome: Outcome): boolean =>
  outcome.kind === "answer" && codes.includes(outcome.status);

const between = (low: number, high: number) => (outcome: Outcome): boolean =>
  outcome.kind === "answer" && outcome.status >= low && outcome.status <= high;

const acts = (action: string) => (outcome: Outcome): boolean =>
  outcome.kind === "answer" && outcome.action === action;

const ticketNotFound = (outcome: Outcome): boolean =>
  outcome.kind === "answer" && outcome.status === 404 &&
  outcome.problemType !== undefined && outcome.problemType.endsWith(TICKET_NOT_FOUND);

const fullOrDraining = (outcome: Outcome): boolean =>
  outcome.kind === "answer" && outcome.status === 503 && outcome.retryAfterMs !== undefined;

/** The whole contract. The first rule that matches decides, and the last one matches everything. */
export const STATUS_CONTRACT: readonly [Rule, ...Rule[]] = [
  {
    name: "action-settle",
    answers: "header `Ackpool-Action: settle`",
    disposition: "settle",
    counts: "never",
    slows: "nobody",
    because: "overrides the status",
    matches: acts("settle"),
  },
  {
    name: "action-retry",
    answers: "header `Ackpool-Action: retry`",
    disposition: "retry",
    counts: "verdict",
    slows: "nobody",
    because: "overrides the status",
    matches: acts("retry"),
  },
  {
    name: "action-dead-letter",
    answers: "header `Ackpool-Action: dead-letter`",
    disposition: "dead_letter",
    counts: "never",
    slows: "nobody",
    because: "overrides the status",
    matches: acts("dead-letter"),
  },
  {
    name: "success",
    answers: "2xx",
    disposition: "settle",
    counts: "never",
    slows: "nobody",
    because: "the work is done and stored",
    matches: between(200, 299),
  },
  {
    name: "rejected",
    answers: "400, 413, 415, 422",
    disposition: "dead_letter",
    counts: "never",
    slows: "nobody",
    because: "the record itself is bad, so it is dead-lettered at once",
    matches: status(400, 413, 415, 422),
  },
  {
    name: "ticket-not-found",
    answers: "404 with a problem `type` ending in `ticket-not-found`",
    disposition: "retry",
    counts: "always",
    slows: "nobody",
    because: "the row may not be there yet",
    matches: ticketNotFound,
  },
  {
    name: "misconfigured",
    answers: "any other 404, 405 or 501; 401, 403; 3xx",
    disposition: "pause",
    counts: "never",
    slows: "nobody",
    because:
      "a misconfiguration: unless other records go through, the pool is paused and probed; redirects are never followed",
    matches: (outcome) => status(401, 403, 404, 405, 501)(outcome) || between(300, 399)(outcome),
  },
  {
    name: "held",
    answers: "409, 425",
    disposition: "retry",
    counts: "never",
    slows: "nobody",
    because: "another replica holds this ticket: again after `Retry-After`",
    matches: status(409, 425),
  },
  {
    name: "rate-limited",
    answers: "429",
    disposition: "retry",
    counts: "never",
    slows: "pool",
    because: "the provider's or the worker's limit: the pool slows down, again after `Retry-After`",
    matches: status(429),
  },
  {
    name: "replica-full",
    answers: "503 with `Retry-After`",
    disposition: "retry",
    counts: "never",
    slows: "replica",
    because: "this replica is full or draining: another one is tried",
    matches: fullOrDraining,
  },
  {
    name: "failed",
    answers: "408, 500, 502, 503, 504, any other status; timeout, reset, refused",
    disposition: "retry",
    counts: "verdict",
    slows: "nobody",
    because: "poison consumes an attempt, an outage does not",
    matches: () => true,
  },
];

/** The rule an outcome falls under. */
export function ruleFor(outcome: Outcome): Rule {
  return STATUS_CONTRACT.find((rule) => rule.matches(outcome)) ?? STATUS_CONTRACT[0];
}

/** The contract as a Markdown table: README holds exactly this text. */
export function contractAsMarkdown(): string {
  const attempt: Record<Counting, string> = { never: "no", always: "yes", verdict: "if poison" };
  const rows = STATUS_CONTRACT.map((rule) =>
    `| ${rule.answers} | ${rule.disposition.replace("_", " ")} | ${attempt[rule.counts]} | ${rule.because} |`
  );
  return [
    "| worker answers | disposition | consumes an attempt | because |",
    "| --- | --- | --- | --- |",
    ...rows,
  ]
    .join("\n");
}
