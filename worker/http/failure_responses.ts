// Responses to failed classifications: the worker's side of the status contract.

import type { Classification } from "../labelling/classify.ts";
import type { LlmFailure } from "../core/llm.ts";
import type { StoreFailure } from "../core/label_store.ts";
import { llmRemedy, storeRemedy } from "../core/remedies.ts";
import { problem, type ProblemSlug } from "./problems.ts";

/** A label takes about a second to buy; the holder of a claim is asked again after this. */
const HELD_RETRY_AFTER = { "retry-after": "1" };

/** Every problem a classification can end with, for OpenAPI. */
export const CLASSIFY_PROBLEMS: readonly ProblemSlug[] = [
  "not-json",
  "invalid-key",
  "invalid-request",
  "unauthorized",
  "forbidden",
  "ticket-not-found",
  "ticket-held",
  "body-too-slow",
  "body-too-large",
  "ticket-too-long",
  "content-refused",
  "ticket-calls-spent",
  "unsupported-media-type",
  "rate-limited",
  "budget-spent",
  "provider-refused",
  "unusable-completion",
  "provider-failed",
  "provider-timeout",
  "replica-full",
  "draining",
  "database-unreachable",
  "database-misconfigured",
  "caller-gone",
  "internal-error",
];

/** See shared/contract/status_contract.ts for what the consumer makes of each. */
export function failureResponse(failed: Exclude<Classification, { kind: "answered" }>): Response {
  switch (failed.kind) {
    case "held":
      return problem("ticket-held", "The label is being bought right now", HELD_RETRY_AFTER);
    case "row_locked":
      return problem(
        "ticket-held",
        "Another transaction holds the ticket's row; its label is stored and is written when the row is free",
        HELD_RETRY_AFTER,
      );
    case "not_found":
      return problem("ticket-not-found", "The tickets table has no row with this id");
    case "unusable":
      return problem(
        "unusable-completion",
        "The model answered nothing of the taxonomy, and neither did the repair",
      );
    case "spent":
      return problem(
        "ticket-calls-spent",
        `The LLM was paid ${failed.calls} times for this ticket and gave no usable label; ` +
          `TICKET_CALLS_MAX is ${failed.callsMax}`,
      );
    case "llm_failed":
      return llmFailureResponse(failed.failure);
    case "store_failed":
      return storeFailureResponse(failed.failure);
    default: {
      const impossible: never = failed;
      throw new Error(`Unknown failure ${JSON.stringify(impossible)}`);
    }
  }
}

/** An operator has to look where no ticket is at fault: the answer says what to do. */
function remedied(remedy: string | undefined): Readonly<Record<string, unknown>> {
  return remedy === undefined ? {} : { remedy };
}

function llmFailureResponse(failure: LlmFailure): Response {
  const { cause, detail, headers } = failure;
  const remedy = remedied(llmRemedy(failure));
  switch (cause) {
    case "rate_limited":
      return problem("rate-limited", detail, headers);
    case "refused":
    case "no_model":
      return problem("provider-refused", detail, {}, remedy);
    case "over_budget":
      return problem("budget-spent", detail, headers, remedy);
    case "too_long":
      return problem("ticket-too-long", detail);
    case "content_refused":
      return problem("content-refused", detail);
    case "unavailable":
      return problem("provider-failed", detail, headers, remedy);
    case "timeout":
      return problem("provider-timeout", detail, {}, remedy);
    case "aborted":
      return problem("caller-gone", detail);
    default: {
      const impossible: never = cause;
      throw new Error(`Unknown cause ${impossible}`);
    }
  }
}

/** 503 goes without `Retry-After`: that would mean "this replica is full", and other replicas have the same database. */
function storeFailureResponse(failure: StoreFailure): Response {
  const { cause, detail } = failure;
  const remedy = remedied(storeRemedy(failure));
  switch (cause) {
    case "unreachable":
    case "read_only":
    case "busy":
      return problem("database-unreachable", detail, {}, remedy);
    case "misconfigured":
      return problem("database-misconfigured", detail, {}, remedy);
    case "bad_id":
      return problem("invalid-request", detail, {}, { errors: [{ pointer: "#/ticket_id", detail }] });
    case "unexpected":
      return problem("internal-error", detail);
    default: {
      const impossible: never = cause;
      throw new Error(`Unknown cause ${impossible}`);
    }
  }
}

/** For routes whose id is in the path: an id that the column cannot hold is simply not there. */
export function reviewFailureResponse(failure: StoreFailure): Response {
  return failure.cause === "bad_id"
    ? problem("ticket-not-found", failure.detail)
    : storeFailureResponse(failure);
}
