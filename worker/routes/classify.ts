// POST /classify: a ticket in, its label out, or the one status that says what became of it.

import type { Context } from "hono";
import type { Logger } from "@logtape/logtape";
import { CLASSIFY_PATH, RequestHeader } from "../../shared/protocol.ts";
import { type Ticket, ticketSchema } from "../../shared/ticket.ts";
import { type Classification, type ClassificationDeps, classify } from "../classification.ts";
import { eventOf } from "../core/fence.ts";
import { readJson } from "../http/body.ts";
import { problem } from "../http/problems.ts";
import { invalid } from "../http/invalid.ts";
import type { Route } from "../http/route.ts";
import { failureResponse } from "../http/failures.ts";
import type { Metrics } from "../metrics.ts";
import type { Permits } from "../permits.ts";
import { type Answer, answerOf } from "./answer.ts";

/** What the route works with. */
export interface ClassifyDeps {
  readonly classification: ClassificationDeps;
  readonly permits: Permits;
  readonly draining: () => boolean;
  readonly maxBodyBytes: number;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly nowMs: () => number;
}

/** Full and draining replicas say so for this long; the next one has room. */
const TRY_ANOTHER = { "retry-after": "1" };

/** See the first line. */
export function classifyRoute(deps: ClassifyDeps): Route {
  return { method: "POST", path: CLASSIFY_PATH, open: false, handle: (context) => handle(deps, context) };
}

async function handle(deps: ClassifyDeps, context: Context): Promise<Response> {
  if (deps.draining()) return problem("draining", "Try another replica", TRY_ANOTHER);
  if (context.req.header(RequestHeader.tombstone) === "true") return new Response(null, { status: 204 });
  if (!deps.permits.take()) return problem("replica-full", "Try another replica", TRY_ANOTHER);
  try {
    return await classifyBody(deps, context);
  } finally {
    deps.permits.give();
  }
}

async function classifyBody(deps: ClassifyDeps, context: Context): Promise<Response> {
  const startMs = deps.nowMs();
  const body = await readJson(context.req.raw, deps.maxBodyBytes);
  if (body.kind === "problem") return body.response;
  const ticket = ticketSchema.safeParse(body.value);
  if (!ticket.success) return invalid(ticket.error);
  const keyed = context.req.header(RequestHeader.idempotencyKey) !== undefined;
  const classification = await classify(deps.classification, {
    ticket: ticket.data,
    event: eventOf((name) => context.req.header(name), startMs),
    // A keyed call is paid for and will be asked for again: it is finished even when its caller is gone.
    signal: keyed ? undefined : context.req.raw.signal,
  });
  if (classification.kind !== "answered") return failureResponse(classification);
  tell(deps, context, ticket.data, classification, deps.nowMs() - startMs);
  const answer: Answer = answerOf(ticket.data.ticket_id, classification);
  return Response.json(answer);
}

function tell(
  { log, metrics }: ClassifyDeps,
  context: Context,
  ticket: Ticket,
  { outcome, category, written, paidNow }: Classification & { kind: "answered" },
  ms: number,
): void {
  metrics.labels.inc({ category, outcome });
  const traceId = /^[0-9a-f]{2}-([0-9a-f]{32})-/.exec(context.req.header(RequestHeader.traceparent) ?? "")
    ?.[1];
  log.info(written ? "classified" : ticket.ticket_id === undefined ? "classified_ad_hoc" : outcome, {
    ...(ticket.ticket_id === undefined ? {} : { ticket_id: ticket.ticket_id }),
    category,
    outcome,
    paid_now: paidNow,
    ms,
    ...(traceId === undefined ? {} : { trace_id: traceId }),
  });
}
