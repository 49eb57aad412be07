// POST /classify: a ticket in, its label out, or the one status that says what became of it.

import { z } from "zod";
import type { ZodOpenApiOperationObject } from "zod-openapi";
import { offerBatches } from "../../shared/contract/batch_lines.ts";
import { CLASSIFY_PATH, isPositionKey, RequestHeader } from "../../shared/contract/protocol.ts";
import { ticketSchema } from "../../shared/ticket.ts";
import { type ClassificationDeps, classify } from "../labelling/classify.ts";
import { eventOf, type TicketEvent } from "../core/fence.ts";
import { type BodyLimit, type JsonBody, readJson } from "../http/body.ts";
import { invalidRequest, problem } from "../http/problems.ts";
import { json, problems, type Route } from "../http/route.ts";
import { CLASSIFY_PROBLEMS, failureResponse } from "../http/failure_responses.ts";
import type { Permits } from "../permits.ts";
import { type DecisionSinks, recordDecision } from "./decision_log.ts";
import { Waits } from "../labelling/waits.ts";
import { answerHeaders } from "./answer_headers.ts";
import { type Answer, answerOf, answerSchema } from "./label_answer.ts";

/** What the route works with. */
export interface ClassifyDeps extends DecisionSinks {
  readonly classification: ClassificationDeps;
  readonly permits: Permits;
  readonly draining: () => boolean;
  readonly bodyLimit: BodyLimit;
  readonly nowMs: () => number;
  /** Headers that say what is left of the provider's rate, where that is news. */
  readonly rateReport?: () => Readonly<Record<string, string>> | undefined;
}

/** A call as this route reads it: a request of its own, or a line of a batch. */
export interface ClassifyCall {
  readonly header: (name: string) => string | undefined;
  readonly readBody: () => Promise<JsonBody>;
  /** Fires when the caller is gone. */
  readonly signal: AbortSignal;
}

/** Full and draining replicas say so for this long; the next one has room. */
export const TRY_ANOTHER = { "retry-after": "1" };

const OPERATION: ZodOpenApiOperationObject = {
  operationId: "classify",
  summary: "Classifies one ticket",
  description:
    "With `ticket_id` the ticket's row is updated before the answer; without it nothing is written.",
  tags: ["classify"],
  requestParams: {
    header: z.object({
      [RequestHeader.idempotencyKey]: z.string().optional().meta({
        description:
          '`"topic/partition/offset"`: the call is finished and stored even when its caller goes away',
      }),
      [RequestHeader.timestamp]: z.string().optional().meta({
        description:
          "When the event happened, in ms since the epoch: an older one never overwrites a newer one. " +
          "Anything but digits counts as not given: Kafka has records without a timestamp.",
      }),
    }),
  },
  requestBody: { required: true, content: { "application/json": { schema: ticketSchema } } },
  responses: {
    "200": json("The label", answerSchema),
    "204": { description: "A tombstone (`Ackpool-Tombstone: true`): nothing to do" },
    ...problems(...CLASSIFY_PROBLEMS),
  },
};

/** A ticket in, its label out. */
export function classifyRoute(deps: ClassifyDeps): Route {
  return {
    method: "POST",
    path: CLASSIFY_PATH,
    scope: "classify",
    operation: OPERATION,
    handle: async ({ req }, grant) => {
      const call: ClassifyCall = {
        header: (name) => req.header(name),
        readBody: () => readJson(req.raw, deps.bodyLimit),
        signal: req.raw.signal,
      };
      return offerBatches(await answerCall(deps, call, grant.scopes.has("deliver")));
    },
  };
}

/** Answers one call. @param delivers what only the consumer knows of a record is believed: its position, its timestamp, a tombstone. */
export async function answerCall(
  deps: ClassifyDeps,
  call: ClassifyCall,
  delivers: boolean,
): Promise<Response> {
  const stated = (name: string) => delivers ? call.header(name) : undefined;
  if (stated(RequestHeader.tombstone) === "true") return new Response(null, { status: 204 });
  const startMs = deps.nowMs();
  const event = eventOf(stated, startMs);
  if (event.position === undefined && isPositionKey(stated(RequestHeader.idempotencyKey) ?? "")) {
    return problem("invalid-key", "A partition is at most 2^31-1, an offset at most 2^63-1");
  }
  // A permit is taken once the body is whole: who sends slowly holds none.
  const body = await call.readBody();
  if (deps.draining()) return problem("draining", "Try another replica", TRY_ANOTHER);
  if (body.kind === "problem") return body.response;
  // Only a consumer's keys name a record's position; people may have keys of their own.
  const caller = event.position === undefined ? "ad_hoc" : "delivery";
  if (!deps.permits.take(caller)) return problem("replica-full", "Try another replica", TRY_ANOTHER);
  try {
    return await classifyTicket(deps, call, event, body.value, startMs);
  } finally {
    deps.permits.give(caller);
  }
}

async function classifyTicket(
  deps: ClassifyDeps,
  call: ClassifyCall,
  event: TicketEvent,
  body: unknown,
  startMs: number,
): Promise<Response> {
  const ticket = ticketSchema.safeParse(body);
  if (!ticket.success) return invalidRequest(ticket.error);
  if (event.position !== undefined && ticket.data.ticket_id === undefined) return missingTicketId();
  const keyed = event.position !== undefined ||
    call.header(RequestHeader.idempotencyKey) !== undefined;
  const waits = new Waits(deps.nowMs);
  const classification = await classify(waits.measuring(deps.classification), {
    ticket: ticket.data,
    event,
    // A keyed call is paid for and will be asked for again: it is finished even when its caller is gone.
    signal: keyed ? undefined : call.signal,
  });
  if (classification.kind !== "answered") return failureResponse(classification);
  const { ticket_id } = ticket.data;
  const ms = deps.nowMs() - startMs;
  recordDecision(deps, ticket_id, classification, ms, call.header(RequestHeader.traceparent));
  const answer: Answer = answerOf(ticket_id, classification);
  const headers = { ...answerHeaders(ticket_id, classification, waits, ms), ...deps.rateReport?.() };
  return Response.json(answer, { headers });
}

/** An ad-hoc caller gets the label in the answer; the label of a record without an id would be paid for and lost. */
function missingTicketId(): Response {
  const detail = "A record without it cannot be labelled: there is nowhere to write the label";
  return problem("invalid-request", "The record has no ticket_id", {}, {
    errors: [{ pointer: "#/ticket_id", detail }],
  });
}
