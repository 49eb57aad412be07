// A scripted LLM behind the OpenAI protocol: in-process for tests, or `deno run -A tests/support/workers/stub_llm.ts --port N
// --latency-ms 200 --tail`. Its label follows from the text alone; GET /calls says how often it was asked.

import { parseArgs } from "node:util";

/** One chat completion request, as far as tests look at it. */
export interface StubRequest {
  readonly model: string;
  readonly messages: readonly { readonly role: string; readonly content: string }[];
  readonly response_format?: {
    readonly json_schema?: { readonly schema?: { properties?: { category?: { enum?: readonly string[] } } } };
  };
  readonly logprobs?: boolean;
}

/** How the stub behaves. */
export interface StubOptions {
  readonly port?: number;
  /** Median time to an answer. */
  readonly latencyMs?: number;
  /** Latency is lognormal (sigma 0.8): one call in a hundred takes six times the median. */
  readonly tail?: boolean;
  readonly seed?: number;
  /** Probability the stub claims for its category. */
  readonly confidence?: number;
  /** Answers instead of the stub where it returns something. */
  readonly script?: (
    request: StubRequest,
    call: number,
  ) => Response | undefined | Promise<Response | undefined>;
}

/** A running stub. */
export interface StubLlm {
  /** For `OPENAI_BASE_URL`. */
  readonly baseUrl: string;
  /** Chat completions asked for so far. */
  readonly calls: () => number;
  readonly requests: readonly StubRequest[];
  readonly stop: () => Promise<void>;
}

const FIVE = ["billing", "bug", "feature_request", "account", "other"];
const HINTS: readonly (readonly [string, RegExp])[] = [
  ["billing", /invoice|charg|refund|payment|price|plan\b/i],
  ["bug", /error|crash|broken|fail|slow|500/i],
  ["feature_request", /would be (great|nice)|add |wish|support for|dark mode/i],
  ["account", /log ?in|password|account|sign|two-factor/i],
];
const REQUESTS_KEPT = 1000;

/** The category the stub gives a text. */
export function stubCategory(text: string, categories: readonly string[] = FIVE): string {
  const hinted = HINTS.find(([category, hint]) => categories.includes(category) && hint.test(text))?.[0];
  return hinted ?? categories.at(-1) ?? "other";
}

/** Starts a stub; port 0 by default. */
export function startStubLlm(options: StubOptions = {}): StubLlm {
  const requests: StubRequest[] = [];
  let calls = 0;
  const random = mulberry32(options.seed ?? 1);
  const stopped = new AbortController();
  const answer = async (request: Request): Promise<Response> => {
    const { pathname } = new URL(request.url);
    if (pathname === "/calls") return Response.json({ calls });
    if (pathname === "/v1/models") {
      return Response.json({ object: "list", data: [{ id: "stub", object: "model" }] });
    }
    if (pathname !== "/v1/chat/completions") return new Response("no such path", { status: 404 });
    const asked: StubRequest = await request.json();
    calls++;
    if (requests.length < REQUESTS_KEPT) requests.push(asked);
    await wait(latency(options, random), stopped.signal);
    return await options.script?.(asked, calls) ?? completion(asked, options.confidence ?? 0.9);
  };
  const server = Deno.serve({ port: options.port ?? 0, hostname: "127.0.0.1", onListen: () => {} }, answer);
  return {
    baseUrl: `http://127.0.0.1:${server.addr.port}/v1`,
    calls: () => calls,
    requests,
    stop: async () => {
      stopped.abort();
      await server.shutdown();
    },
  };
}

/** A well-formed answer with log-probabilities; `content` replaces the JSON the stub would give. */
export function completion(asked: StubRequest, confidence = 0.9, content?: string): Response {
  const ticket = asked.messages.findLast(({ role }) => role === "user")?.content ?? "";
  const categories = asked.response_format?.json_schema?.schema?.properties?.category?.enum ?? FIVE;
  const category = stubCategory(ticket, categories);
  const said = content ?? JSON.stringify({ category, language: "en", reason: `Reads like ${category}.` });
  return Response.json({
    id: "chatcmpl-stub",
    object: "chat.completion",
    created: 0,
    model: asked.model,
    choices: [{
      index: 0,
      finish_reason: "stop",
      message: { role: "assistant", content: said, refusal: null },
      logprobs: asked.logprobs ? { content: tokens(said, category, confidence), refusal: null } : null,
    }],
    usage: { prompt_tokens: 400, completion_tokens: 30, total_tokens: 430 },
  });
}

/** The category is one token of the given probability; all others are certain. */
function tokens(content: string, category: string, confidence: number) {
  const at = content.indexOf(category);
  const parts = at < 0 ? [content] : [content.slice(0, at), category, content.slice(at + category.length)];
  return parts.filter((token) => token !== "").map((token) => ({
    token,
    logprob: token === category ? Math.log(confidence) : 0,
    bytes: null,
    top_logprobs: [],
  }));
}

function latency({ latencyMs = 0, tail = false }: StubOptions, random: () => number): number {
  if (!tail) return latencyMs;
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return latencyMs * Math.exp(0.8 * normal);
}

function wait(ms: number, signal: AbortSignal): Promise<void> {
  if (ms <= 0 || signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}

/** A small seeded generator (mulberry32), so that two runs see the same latencies. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      port: { type: "string", default: "0" },
      "latency-ms": { type: "string", default: "0" },
      tail: { type: "boolean", default: false },
      seed: { type: "string", default: "1" },
    },
  });
  const stub = startStubLlm({
    port: Number(values.port),
    latencyMs: Number(values["latency-ms"]),
    tail: values.tail,
    seed: Number(values.seed),
  });
  Deno.stdout.writeSync(
    new TextEncoder().encode(`${JSON.stringify({ message: "listening", url: stub.baseUrl })}\n`),
  );
}
