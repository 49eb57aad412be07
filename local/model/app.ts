// The local model as an OpenAI-compatible HTTP service.

import { Hono } from "hono";
import type { z } from "zod";
import { allowedLabels, type TicketAnswer, writeAnswer } from "./chat/answer_text.ts";
import {
  askedTickets,
  type ChatRequest,
  chatRequestSchema,
  promptText,
  saidAbout,
} from "./chat/chat_request.ts";
import { chatCompletion, MODEL_NAME } from "./chat/chat_completion.ts";
import { answerTickets } from "./chat/answer_tickets.ts";
import { TRAINED_LABELS } from "./tickets.ts";
import type { TrainedModel } from "./training/train_model.ts";

/** What the service needs; the clock in ms since the epoch. */
export interface ModelAppDeps {
  readonly model: TrainedModel;
  readonly now: () => number;
  readonly newId: () => string;
}

/** The shape of an answer where the request leaves it open but wants JSON. */
const DEFAULT_SCHEMA = {
  properties: {
    category: { enum: [...TRAINED_LABELS] },
    reason: { type: "string" },
    language: { type: "string" },
  },
};

/** The routes `/v1/chat/completions`, `/v1/models` and `/livez`. */
export function createModelApp(deps: ModelAppDeps): Hono {
  const app = new Hono();
  const started = seconds(deps.now());
  const card = { id: MODEL_NAME, object: "model", created: started, owned_by: "ackpool" };
  app.get("/livez", (c) => c.json({ status: "live" }));
  app.get("/v1/models", (c) => c.json({ object: "list", data: [card] }));
  app.get(
    "/v1/models/:id",
    (c) =>
      c.req.param("id") === MODEL_NAME
        ? c.json(card)
        : failure(404, `There is no model "${c.req.param("id")}"`),
  );
  app.post("/v1/chat/completions", async (c) => {
    const parsed = chatRequestSchema.safeParse(await c.req.json().catch(() => undefined));
    return parsed.success ? c.json(await complete(parsed.data, deps)) : failure(400, explain(parsed.error));
  });
  app.notFound((c) => failure(404, `There is no ${c.req.method} ${c.req.path} here`));
  app.onError((error) => failure(500, error.message));
  return app;
}

async function complete(request: ChatRequest, { model, now, newId }: ModelAppDeps): Promise<unknown> {
  const schema = schemaOf(request);
  const labels = allowedLabels(schema) ?? TRAINED_LABELS;
  const answers = await answerTickets(askedTickets(request), {
    model,
    labels,
    saidAbout: (label) => saidAbout(label, request),
  });
  const pieces = schema === undefined ? plainPieces(answers) : writeAnswer(schema, answers);
  return chatCompletion(pieces, {
    id: `chatcmpl-${newId()}`,
    created: seconds(now()),
    fingerprint: model.fingerprint,
    promptText: promptText(request),
    topLogprobs: request.logprobs === true ? request.top_logprobs ?? 0 : undefined,
  });
}

function schemaOf({ response_format: format }: ChatRequest): unknown {
  switch (format?.type) {
    case undefined:
    case "text":
      return undefined;
    case "json_object":
      return DEFAULT_SCHEMA;
    case "json_schema":
      return format.json_schema.schema;
    default:
      return format satisfies never;
  }
}

/** Without a format the answer is the bare label, one line a ticket. */
function plainPieces(answers: readonly TicketAnswer[]) {
  return answers.flatMap(({ ranked }, at) => [
    ...(at === 0 ? [] : [{ text: "\n" }]),
    { text: ranked[0]?.label ?? "", odds: ranked },
  ]);
}

function explain({ issues }: z.ZodError): string {
  return issues.map(({ path, message }) => `${path.join(".") || "body"}: ${message}`).join("; ");
}

/** An error as OpenAI writes it. */
function failure(status: number, message: string): Response {
  const type = status < 500 ? "invalid_request_error" : "server_error";
  return Response.json({ error: { message, type, param: null, code: null } }, { status });
}

function seconds(ms: number): number {
  return Math.floor(ms / 1000);
}
