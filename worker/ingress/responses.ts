// Responses to callers: the replica's answer, or why there is none.

import type { NoAnswer } from "../../shared/contract/outcome.ts";
import { outcomeLabel } from "../../shared/contract/outcome.ts";
import type { StreamedAnswer } from "../../shared/pool/exchange/streamed.ts";
import { answerHeaders } from "./headers.ts";
import type { Admittance } from "./wait_queue.ts";
import { ingressProblem } from "./problems.ts";

/** When to call again, in s. A full pool has room as soon as calls end, an empty one when a replica has started. */
const RETRY_AFTER = { full: "2", none: "5" } as const;

type Fields = Readonly<Record<string, string>>;

/** A replica's answer, its body still to come. @param extraHeaders header fields of our own. */
export function responseOf(
  { outcome, headers, body }: StreamedAnswer,
  method: string,
  extraHeaders: Fields,
): Response {
  if (outcome.kind !== "answer") return noAnswerResponse(outcome, extraHeaders);
  const { status } = outcome;
  const bare = method === "HEAD" || status === 204 || status === 205 || status === 304;
  if (bare) body?.cancel().catch(() => {});
  return new Response(bare ? null : body as ReadableStream<Uint8Array<ArrayBuffer>>, {
    status,
    headers: answerHeaders(headers, extraHeaders),
  });
}

/**
 * Where the queue did not let a call through.
 *
 * @param restMs for how long the provider behind all replicas wants to be left alone; below 0 where it does not.
 */
export function refusalResponse(
  kind: Exclude<Admittance<unknown>["kind"], "started">,
  restMs: number,
  extraHeaders: Fields,
): Response {
  switch (kind) {
    case "queue_full":
      return full("INGRESS_QUEUE calls wait already", restMs, extraHeaders);
    case "still_full":
      return full("No replica was free within INGRESS_PATIENCE_MS", restMs, extraHeaders);
    case "no_replica":
      return none("No replica appeared within INGRESS_WAKE_MS", extraHeaders);
    case "gone":
      return callerGone();
    default:
      return kind satisfies never;
  }
}

/** The caller has gone: only the log sees this status. */
export function callerGone(): Response {
  return new Response(null, { status: 499 });
}

function full(detail: string, restMs: number, extraHeaders: Fields): Response {
  if (restMs <= 0) {
    return ingressProblem("pool-full", detail, { ...extraHeaders, "retry-after": RETRY_AFTER.full });
  }
  const why = "The provider behind all replicas has asked to be left alone for so long";
  return ingressProblem("rate-limited", why, {
    ...extraHeaders,
    "retry-after": String(Math.ceil(restMs / 1000)),
  });
}

function none(detail: string, extraHeaders: Fields): Response {
  return ingressProblem("no-replica", detail, { ...extraHeaders, "retry-after": RETRY_AFTER.none });
}

function noAnswerResponse(outcome: NoAnswer, extraHeaders: Fields): Response {
  switch (outcome.kind) {
    case "timeout":
      return ingressProblem("worker-timeout", "No answer within WORKER_TIMEOUT_MS", extraHeaders);
    case "refused":
      return none(`No replica answers (${outcomeLabel(outcome)})`, extraHeaders);
    case "reset":
      return ingressProblem("worker-lost", "The connection broke before an answer came", extraHeaders);
    default:
      return outcome.kind satisfies never;
  }
}
