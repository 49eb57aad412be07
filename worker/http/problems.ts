// Problems that the worker answers with: status, title, and what the page under /problems says.

import { z } from "zod";
import { type ProblemKind, problemResponder } from "../../shared/http/problem_kind.ts";

/** RFC 9457 section 3, as OpenAPI shows it. */
export const problemSchema = z.object({
  type: z.string().meta({ description: "A path on this worker whose page explains the kind of problem" }),
  title: z.string(),
  status: z.number().int(),
  detail: z.string().optional(),
  remedy: z.string().optional().meta({ description: "What an operator does about it" }),
  errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).optional(),
}).meta({ id: "Problem" });

/** By slug: the last part of a problem's `type`. */
export const PROBLEMS = {
  "invalid-key": {
    status: 400,
    title: "The record's place is none that Kafka has",
    about:
      '`Idempotency-Key` looks like `"topic/partition/offset"`, but its numbers are too large for Kafka.',
  },
  "not-json": { status: 400, title: "The body is not JSON", about: "The body has to be JSON in UTF-8." },
  "invalid-request": {
    status: 422,
    title: "The request has the wrong shape",
    about: "The JSON is fine, what it says is not. `errors` names each field.",
  },
  "unauthorized": {
    status: 401,
    title: "The token is missing or wrong",
    about: "`Authorization: Bearer <token>` is wanted, with a token of `INGRESS_TOKEN` or `WORKER_TOKEN`.",
  },
  "forbidden": {
    status: 403,
    title: "The token is not good for this",
    about: "`INGRESS_TOKEN` says what each token is good for: `classify`, `read`, `override`.",
  },
  "not-found": { status: 404, title: "There is nothing here", about: "No such path on this worker." },
  "ticket-not-found": {
    status: 404,
    title: "There is no such ticket",
    about: "The tickets table has no row with this id, or not yet: the consumer tries again.",
  },
  "method-not-allowed": {
    status: 405,
    title: "The method is not allowed here",
    about: "The header `Allow` says which ones are.",
  },
  "ticket-held": {
    status: 409,
    title: "Another request is buying this ticket's label",
    about: "Ask again after `Retry-After`: the label will be there, paid for once.",
  },
  "body-too-slow": {
    status: 408,
    title: "The body did not come",
    about: "It was announced and did not arrive in time.",
  },
  "body-too-large": { status: 413, title: "The body is too large", about: "`MAX_BODY_BYTES` is the limit." },
  "ticket-too-long": {
    status: 413,
    title: "The ticket does not fit the model",
    about: "The ticket is longer than the model or its rate takes, also after it was cut once more.",
  },
  "content-refused": {
    status: 422,
    title: "The provider refuses the ticket's content",
    about: "Its filter does not take what the ticket says. The same text would be refused again.",
  },
  "ticket-calls-spent": {
    status: 422,
    title: "This ticket has cost enough",
    about:
      "So many paid calls of the LLM gave no usable label that `TICKET_CALLS_MAX` allows no more for this text, " +
      "model and taxonomy. A replay of its dead letter tries anew.",
  },
  "unsupported-media-type": {
    status: 415,
    title: "The body is of the wrong type",
    about: "`application/json` and types that end in `+json` are read, in UTF-8.",
  },
  "rate-limited": {
    status: 429,
    title: "The provider limits the rate",
    about: "The provider's own headers are passed on. Ask again after `Retry-After`.",
  },
  "budget-spent": {
    status: 429,
    title: "The day's budget is spent",
    about:
      "`TOKENS_PER_DAY` or `USD_PER_DAY` is reached. A new day begins at midnight UTC. Stored labels are still answered.",
  },
  "provider-refused": {
    status: 403,
    title: "The provider refuses us",
    about: "Key, quota, model name or base URL: an operator has to look. No ticket is at fault.",
  },
  "unusable-completion": {
    status: 502,
    title: "The model gave no label of the taxonomy, twice",
    about: "A refusal or something else. One repair was tried.",
  },
  "provider-failed": {
    status: 502,
    title: "The provider failed",
    about: "It could not be reached, answered 5xx, or answered something that is not of its protocol.",
  },
  "provider-timeout": {
    status: 504,
    title: "The provider took too long",
    about: "`OPENAI_TIMEOUT_MS` is the limit of one call.",
  },
  "replica-full": {
    status: 503,
    title: "This replica is full",
    about:
      "`WORKER_CONCURRENCY` requests are running, for ad-hoc calls `WORKER_RESERVED` more, and there is no queue: try another replica.",
  },
  "draining": {
    status: 503,
    title: "This replica is shutting down",
    about: "It finishes what it has and takes nothing new: try another replica.",
  },
  "database-unreachable": {
    status: 503,
    title: "The database cannot be reached",
    about: "Nothing was written. The worker connects again by itself.",
  },
  "database-misconfigured": {
    status: 500,
    title: "The database is not as it should be",
    about: "A table, a column, a right or the database itself is missing. Run `deno task migrate`.",
  },
  "caller-gone": {
    status: 408,
    title: "The caller went away",
    about: "A request without `Idempotency-Key` was given up because nobody waits for its answer.",
  },
  "internal-error": {
    status: 500,
    title: "The worker failed",
    about: "A bug, or a statement the database rejected. The worker's log says more.",
  },
} as const satisfies Record<string, ProblemKind>;

/** A key of {@link PROBLEMS}. */
export type ProblemSlug = keyof typeof PROBLEMS;

/** A problem as a response. `detail` never holds ticket text or secrets. */
export const problem = problemResponder<ProblemSlug>(PROBLEMS);

const ERRORS_MAX = 20;

/** 422 that names each field zod found wrong and repeats no value. */
export function invalidRequest(error: z.ZodError): Response {
  const errors = error.issues.slice(0, ERRORS_MAX).map(({ path, message }) => ({
    pointer: `#/${path.map(String).join("/")}`,
    detail: message,
  }));
  return problem("invalid-request", "The JSON does not have the shape it should have", {}, { errors });
}
