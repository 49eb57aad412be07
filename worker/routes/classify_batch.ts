// POST /classify/batch: many tickets in one request, a status for each: in one JSON document, or streamed line by line.

import type { Context } from "hono";
import { z } from "zod";
import { BATCH_PATH, isNdjson, NDJSON } from "../../shared/contract/batch_lines.ts";
import { RequestHeader } from "../../shared/contract/protocol.ts";
import { type Ticket, ticketSchema } from "../../shared/ticket.ts";
import { classify } from "../labelling/classify.ts";
import { eventOf } from "../core/fence.ts";
import { readJson } from "../http/body.ts";
import { failureResponse } from "../http/failure_responses.ts";
import { invalidRequest, problem, problemSchema } from "../http/problems.ts";
import { problems, type Route } from "../http/route.ts";
import { answerOf, answerSchema } from "./label_answer.ts";
import { type ClassifyDeps, TRY_ANOTHER } from "./classify.ts";
import { answerLines, type LinesDeps } from "./classify_lines.ts";
import { recordDecision } from "./decision_log.ts";

const TICKETS_MAX = 100;

const batchSchema = z.object({ tickets: z.array(ticketSchema).min(1).max(TICKETS_MAX) });

const itemSchema = z.object({
  status: z.number().int().meta({ description: "What POST /classify would have answered" }),
  label: answerSchema.nullable(),
  problem: problemSchema.nullable(),
});

const textHeaders = z.record(z.string(), z.string()).optional();

const recordLineSchema = z.object({
  key: z.string().meta({ description: "The record's `Idempotency-Key`, quotes included" }),
  timestamp: z.number().int().optional(),
  attempt: z.number().int().optional(),
  deadlineMs: z.number().int().optional(),
  traceparent: z.string().optional(),
  contentType: z.string().optional(),
  headers: textHeaders,
  value: z.string().optional(),
  valueBase64: z.string().optional().meta({ description: "Where the value is not UTF-8" }),
  tombstone: z.boolean().optional(),
}).meta({ id: "RecordLine" });

const answerLineSchema = z.object({
  key: z.string(),
  status: z.number().int().meta({ description: "What POST /classify would have answered" }),
  headers: textHeaders,
  problem: problemSchema.optional(),
}).meta({ id: "AnswerLine" });

/** Many tickets in one request, a status for each. */
export function classifyBatchRoute(deps: LinesDeps): Route {
  return {
    method: "POST",
    path: BATCH_PATH,
    scope: "classify",
    operation: {
      operationId: "classifyBatch",
      summary: `Classifies up to ${TICKETS_MAX} tickets`,
      description:
        "As JSON: takes as many permits as are free and never more, and the answers are in the order of the tickets. " +
        "As NDJSON, for deliveries: a record a line, each answered as `POST /classify` would answer it, with the moment " +
        "its answer is known and a permit of its own.",
      tags: ["classify"],
      requestBody: {
        required: true,
        content: {
          "application/json": { schema: batchSchema },
          [NDJSON]: { schema: recordLineSchema },
        },
      },
      responses: {
        "200": {
          description: "A status for each",
          content: {
            "application/json": { schema: z.object({ results: z.array(itemSchema) }) },
            [NDJSON]: { schema: answerLineSchema },
          },
        },
        ...problems(
          "not-json",
          "invalid-request",
          "unauthorized",
          "forbidden",
          "body-too-slow",
          "body-too-large",
          "unsupported-media-type",
          "replica-full",
          "draining",
          "internal-error",
        ),
      },
    },
    handle: (context, grant) =>
      isNdjson(context.req.header("content-type") ?? "")
        ? answerLines(deps, context.req.raw, grant.scopes.has("deliver"))
        : handle(deps, context),
  };
}

async function handle(deps: ClassifyDeps, context: Context): Promise<Response> {
  const body = await readJson(context.req.raw, deps.bodyLimit);
  if (deps.draining()) return problem("draining", "Try another replica", TRY_ANOTHER);
  if (body.kind === "problem") return body.response;
  const batch = batchSchema.safeParse(body.value);
  if (!batch.success) return invalidRequest(batch.error);
  if (!deps.permits.take("ad_hoc")) return problem("replica-full", "Try another replica", TRY_ANOTHER);
  try {
    return Response.json({ results: await classifyAll(deps, context, batch.data.tickets) });
  } finally {
    deps.permits.give("ad_hoc");
  }
}

/** The batch's own permit works through the tickets, helped by those that are free at the start. */
async function classifyAll(
  deps: ClassifyDeps,
  context: Context,
  tickets: readonly Ticket[],
): Promise<Item[]> {
  const results: Item[] = [];
  const waiting = tickets.entries();
  const work = async () => {
    for (const [at, ticket] of waiting) results[at] = await classifyOne(deps, context, ticket);
  };
  const workers = [work()];
  while (workers.length < tickets.length && deps.permits.take("ad_hoc")) {
    workers.push(work().finally(() => deps.permits.give("ad_hoc")));
  }
  await Promise.all(workers);
  return results;
}

type Item = z.infer<typeof itemSchema>;

async function classifyOne(deps: ClassifyDeps, context: Context, ticket: Ticket): Promise<Item> {
  const startMs = deps.nowMs();
  const classification = await classify(deps.classification, {
    ticket,
    event: eventOf(() => undefined, startMs),
    signal: context.req.raw.signal,
  });
  if (classification.kind !== "answered") {
    const response = failureResponse(classification);
    return { status: response.status, label: null, problem: await response.json() };
  }
  const ms = deps.nowMs() - startMs;
  recordDecision(deps, ticket.ticket_id, classification, ms, context.req.header(RequestHeader.traceparent));
  return { status: 200, label: answerOf(ticket.ticket_id, classification), problem: null };
}
