// Scripted provider behind the OpenAI protocol: plays one family of providers, with its refusals and answers.

import type { ProviderFamily, ScriptedRefusal } from "./provider_families.ts";

/** A chat completion's request, as far as families look at it. */
export interface ScriptedRequest {
  readonly model: string;
  readonly messages: readonly { readonly role: string; readonly content: string }[];
  readonly max_completion_tokens?: number;
  readonly max_tokens?: number;
  readonly reasoning_effort?: string;
  readonly temperature?: number;
  readonly logprobs?: boolean;
  readonly response_format?: { readonly type: string };
}

/** What is played. */
export interface ScriptedOptions extends Partial<ProviderFamily> {
  /** Answers `GET /models`; a plain list of the model where absent. */
  readonly models?: () => Response;
  /** Answers a chat completion instead of the family where it returns something. */
  readonly script?: (request: ScriptedRequest, call: number) => Response | undefined;
}

/** A running provider. */
export interface ScriptedProvider extends AsyncDisposable {
  /** For `OPENAI_BASE_URL`. */
  readonly baseUrl: string;
  /** Chat completions that were asked for, refused ones too. */
  readonly requests: readonly ScriptedRequest[];
}

const LABEL = { category: "billing", language: "en", reason: "It is about an invoice." };

/** Starts one on a free port. */
export function startScriptedProvider(options: ScriptedOptions): ScriptedProvider {
  const requests: ScriptedRequest[] = [];
  const answered = new Set<ScriptedRefusal>();
  const answer = async (request: Request): Promise<Response> => {
    const { pathname } = new URL(request.url);
    if (pathname === "/v1/models") {
      return options.models?.() ?? Response.json({ object: "list", data: [{ id: options.model ?? "m" }] });
    }
    const asked: ScriptedRequest = await request.json();
    requests.push(asked);
    const scripted = options.script?.(asked, requests.length);
    if (scripted !== undefined) return scripted;
    const refusal = options.refusals?.find((each) => !answered.has(each) && each.when(asked));
    if (refusal === undefined) return scriptedCompletion(asked, options);
    if (refusal.once) answered.add(refusal);
    return bodyResponse(refusal.body, refusal.status);
  };
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, answer);
  return {
    baseUrl: `http://127.0.0.1:${server.addr.port}/v1`,
    requests,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** A body as JSON, or as HTML where it is a text. */
export function bodyResponse(body: unknown, status: number): Response {
  return typeof body === "string"
    ? new Response(body, { status, headers: { "content-type": "text/html" } })
    : Response.json(body, { status });
}

/** A well-formed answer of a family. */
export function scriptedCompletion(asked: ScriptedRequest, family: Partial<ProviderFamily> = {}): Response {
  const { thoughtTokens = 0, message = (json) => ({ content: json }) } = family;
  const limit = asked.max_completion_tokens ?? asked.max_tokens ?? Infinity;
  const cutOff = thoughtTokens + 40 > limit;
  return Response.json({
    id: "chatcmpl-1",
    object: "chat.completion",
    model: asked.model,
    choices: [{
      index: 0,
      finish_reason: cutOff ? "length" : "stop",
      message: { role: "assistant", ...(cutOff ? { content: "" } : message(JSON.stringify(LABEL))) },
    }],
    ...(family.tellsNoUsage ? {} : {
      usage: { prompt_tokens: 400, completion_tokens: thoughtTokens + 40, total_tokens: thoughtTokens + 440 },
    }),
  });
}
