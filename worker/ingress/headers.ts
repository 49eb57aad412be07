// Header fields that go through the ingress, and those that belong to one connection only.

import type { AnswerHeaders } from "../../shared/pool/exchange/streamed.ts";
import { BATCH_HEADER } from "../../shared/contract/batch_lines.ts";
import { isPositionKey, RequestHeader } from "../../shared/contract/protocol.ts";

/** RFC 9110 section 7.6.1, and what the next connection says anew. */
const PER_CONNECTION = new Set([
  "connection",
  "expect",
  "host",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** A trace that a stranger begins is carried on only where it is one (W3C Trace Context section 3.2). */
const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** What only the consumer may say of a record: a caller who says it is not believed, so it does not go through. */
function isForged(name: string, value: string): boolean {
  if (name.startsWith("ackpool-")) return true;
  if (name === RequestHeader.idempotencyKey) return isPositionKey(value);
  return name === RequestHeader.traceparent && !TRACEPARENT.test(value);
}

/** Header fields for a replica: the caller's own and how long the ingress waits. */
export function requestHeaders(headers: Headers, timeoutMs: number): Record<string, string> {
  const dropped = named(headers.get("connection"));
  const host = headers.get("host");
  const kept = [...headers].filter(([name, value]) =>
    !isForged(name, value) && !PER_CONNECTION.has(name) && !dropped.has(name) &&
    // The body is sent whole: whoever sends it knows its length.
    name !== "content-length"
  );
  return {
    ...Object.fromEntries(kept),
    // A replica sees its own address as the host; a page has to come from the one that was asked for.
    ...(host === null ? {} : { "x-forwarded-host": host }),
    [RequestHeader.deadline]: String(timeoutMs),
  };
}

/** What a worker says to the pool: how much the account with the provider may still ask for, and that it takes batches. */
function isForPool(name: string): boolean {
  return name === BATCH_HEADER || name.startsWith("x-ratelimit-") || name === "ratelimit" ||
    name === "ratelimit-policy";
}

/** Header fields for the caller. */
export function answerHeaders(
  headers: AnswerHeaders,
  extraHeaders: Readonly<Record<string, string>>,
): Headers {
  const dropped = named(headers["connection"]);
  const kept = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || PER_CONNECTION.has(name) || dropped.has(name) || isForPool(name)) {
      continue;
    }
    for (const each of [value].flat()) kept.append(name, each);
  }
  for (const [name, value] of Object.entries(extraHeaders)) kept.set(name, value);
  return kept;
}

/** `Connection` names more fields that are for this connection alone. */
function named(connection: string | string[] | null | undefined): ReadonlySet<string> {
  return new Set([connection ?? ""].flat().join(",").toLowerCase().split(",").map((name) => name.trim()));
}
