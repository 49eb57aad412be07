// Families of providers as data: which features each refuses, in its own words and shape, and how its answers look.

import type { ScriptedRequest } from "./scripted_provider.ts";

/** One refusal: the first that fits is answered. */
export interface ScriptedRefusal {
  readonly when: (request: ScriptedRequest) => boolean;
  readonly status: number;
  readonly body: unknown;
  /** Only the first time it fits. */
  readonly once?: true;
}

/** A provider's ways. */
export interface ProviderFamily {
  readonly name: string;
  readonly model: string;
  readonly refusals: readonly ScriptedRefusal[];
  /** The answer's message around its JSON; the JSON alone where absent. */
  readonly message?: (json: string) => Readonly<Record<string, unknown>>;
  /** Tokens it thinks before it answers, though it was asked not to. */
  readonly thoughtTokens?: number;
  /** No usage in its answers. */
  readonly tellsNoUsage?: true;
  /** What is asked of it in the end, by feature, where that is not what is asked at first. */
  readonly learns: Readonly<Record<string, string>>;
}

const openai = (message: string, param: string | null = null, code: string | null = null) => ({
  error: { message, type: "invalid_request_error", param, code },
});
const unsupported = (param: string) =>
  openai(
    `Unsupported parameter: '${param}' is not supported with this model.`,
    param,
    "unsupported_parameter",
  );
const unknown = (name: string) => openai(`Unrecognized request argument supplied: ${name}`);
const asks = (field: string) => (request: ScriptedRequest) => field in request;
const asksFormat = (type: string) => (request: ScriptedRequest) => request.response_format?.type === type;
const asksEffort = (...efforts: readonly string[]) => (request: ScriptedRequest) =>
  efforts.includes(request.reasoning_effort ?? "");
const asksSystem = (request: ScriptedRequest) => request.messages.some(({ role }) => role === "system");
const thinks = (request: ScriptedRequest) => request.reasoning_effort !== "none";
const pydantic = (field: string, message = "Extra inputs are not permitted") => ({
  type: "extra_forbidden",
  loc: ["body", field],
  msg: message,
  input: true,
});
const PLAIN = "nothing";
const ESTIMATED = "nothing: tokens are estimated from the texts";

/** Sixteen families, and two gateways that answer HTML. */
export const FAMILIES: readonly ProviderFamily[] = [
  {
    name: "OpenAI 4o",
    model: "gpt-4o-mini",
    refusals: [{ when: asks("reasoning_effort"), status: 400, body: unknown("reasoning_effort") }],
    learns: { reasoning: PLAIN },
  },
  {
    name: "OpenAI 5",
    model: "gpt-5-mini",
    refusals: [
      {
        when: asksEffort("none"),
        status: 400,
        body: openai(
          "Unsupported value: 'reasoning_effort' does not support 'none' with this model. Supported values are: 'minimal', 'low', 'medium', and 'high'.",
          "reasoning_effort",
          "unsupported_value",
        ),
      },
      {
        when: asks("temperature"),
        status: 400,
        body: openai(
          "Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) value is supported.",
          "temperature",
          "unsupported_value",
        ),
      },
      {
        when: asks("logprobs"),
        status: 403,
        body: openai("You are not allowed to request logprobs from this model"),
      },
    ],
    learns: { reasoning: "reasoning_effort minimal", temperature: PLAIN, logprobs: PLAIN },
  },
  {
    name: "OpenAI 6 that reasons",
    model: "gpt-6-astra",
    thoughtTokens: 900,
    refusals: [
      {
        when: asksEffort("none", "minimal"),
        status: 400,
        body: openai(
          "Unsupported value: 'reasoning_effort' does not support 'none' with this model. Supported values are: 'low', 'medium', 'high', 'xhigh', and 'max'.",
          "reasoning_effort",
          "unsupported_value",
        ),
      },
      { when: asks("temperature"), status: 400, body: unsupported("temperature") },
      { when: asks("logprobs"), status: 400, body: unsupported("logprobs") },
    ],
    learns: { reasoning: "reasoning_effort low", temperature: PLAIN, logprobs: PLAIN },
  },
  {
    name: "OpenAI 6 without reasoning",
    model: "gpt-6-luna",
    refusals: [
      { when: asks("max_tokens"), status: 400, body: unsupported("max_tokens") },
      {
        when: (request) => thinks(request) && "temperature" in request,
        status: 400,
        body: unsupported("temperature"),
      },
    ],
    learns: {},
  },
  {
    name: "Azure OpenAI",
    model: "our-deployment",
    refusals: [
      { when: asks("max_completion_tokens"), status: 400, body: unknown("max_completion_tokens") },
      { when: asks("reasoning_effort"), status: 400, body: unknown("reasoning_effort") },
      {
        when: asksFormat("json_schema"),
        status: 400,
        body: openai(
          "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model.",
          "response_format",
        ),
      },
    ],
    learns: { limit: "max_tokens", reasoning: PLAIN, schema: PLAIN },
  },
  {
    name: "Gemini's compatible endpoint",
    model: "gemini-3-pro",
    refusals: [
      {
        when: asks("logprobs"),
        status: 400,
        body: [{
          error: {
            code: 400,
            message: 'Invalid JSON payload received. Unknown name "logprobs": Cannot find field.',
            status: "INVALID_ARGUMENT",
            details: [{
              "@type": "type.googleapis.com/google.rpc.BadRequest",
              fieldViolations: [{
                description: 'Invalid JSON payload received. Unknown name "logprobs": Cannot find field.',
              }],
            }],
          },
        }],
      },
      {
        when: asksEffort("none"),
        status: 400,
        body: [{
          error: {
            code: 400,
            message: "Budget 0 is invalid. This model only works in thinking mode.",
            status: "INVALID_ARGUMENT",
          },
        }],
      },
    ],
    learns: { logprobs: PLAIN, reasoning: "reasoning_effort minimal" },
  },
  {
    name: "Anthropic's compatible endpoint",
    model: "claude-sonnet-5",
    refusals: [
      {
        when: asks("temperature"),
        status: 400,
        body: {
          type: "error",
          error: { type: "invalid_request_error", message: "`temperature` is deprecated for this model." },
        },
      },
      {
        when: asks("reasoning_effort"),
        status: 400,
        body: {
          type: "error",
          error: {
            type: "invalid_request_error",
            message: "reasoning_effort: Extra inputs are not permitted",
          },
        },
      },
    ],
    message: (json) => ({ content: `Here is the label you asked for:\n\n\`\`\`json\n${json}\n\`\`\`` }),
    learns: { temperature: PLAIN, reasoning: PLAIN },
  },
  {
    name: "Mistral",
    model: "magistral-small",
    refusals: [{
      when: (request) =>
        "max_completion_tokens" in request || "logprobs" in request || "reasoning_effort" in request,
      status: 422,
      body: {
        object: "error",
        message: {
          detail: [pydantic("max_completion_tokens"), pydantic("logprobs"), pydantic("reasoning_effort")],
        },
        type: "invalid_request_error",
        param: null,
        code: null,
      },
    }],
    message: (json) => ({
      content: [
        { type: "thinking", thinking: [{ type: "text", text: '{"category":"other"}' }] },
        { type: "text", text: json },
      ],
    }),
    learns: { limit: "max_tokens", logprobs: PLAIN, reasoning: PLAIN },
  },
  {
    name: "Groq",
    model: "llama-3.1-8b-instant",
    refusals: [
      { when: asks("logprobs"), status: 400, body: openai("`logprobs` is not supported with this model") },
      {
        when: asks("reasoning_effort"),
        status: 400,
        body: openai("`reasoning_effort` is not supported with this model"),
      },
      {
        when: asksFormat("json_schema"),
        status: 400,
        body: openai(
          "This model does not support response format `json_schema`. See supported models at https://console.groq.com/docs/structured-outputs",
        ),
      },
    ],
    learns: { logprobs: PLAIN, reasoning: PLAIN, schema: "response_format json_object" },
  },
  {
    name: "OpenRouter",
    model: "vendor/model",
    refusals: [
      {
        when: asks("temperature"),
        status: 400,
        body: {
          error: {
            message: "Provider returned error",
            code: 400,
            metadata: { raw: JSON.stringify(unsupported("temperature")), provider_name: "OpenAI" },
          },
        },
      },
      {
        when: asks("logprobs"),
        status: 404,
        body: { error: { message: "No endpoints found that support logprobs", code: 404 } },
      },
    ],
    message: (json) => ({ content: json, reasoning: '{"category":"other"}' }),
    learns: { temperature: PLAIN, logprobs: PLAIN },
  },
  {
    name: "Together",
    model: "Qwen/Qwen3.5-9B",
    refusals: [
      {
        when: asks("logprobs"),
        status: 400,
        body: {
          id: "o1",
          error: {
            message: "Input validation error: logprobs: Input should be a valid integer",
            type: "invalid_request_error",
            param: "logprobs",
            code: null,
          },
        },
      },
    ],
    message: (json) => ({ content: `<think>\nIs it {"category":"other"}? No.\n</think>\n\n${json}` }),
    learns: { logprobs: PLAIN },
  },
  {
    name: "vLLM",
    model: "Qwen/Qwen3-8B",
    refusals: [
      {
        when: asks("reasoning_effort"),
        status: 400,
        body: {
          object: "error",
          message:
            "[{'type': 'extra_forbidden', 'loc': ('body', 'reasoning_effort'), 'msg': 'Extra inputs are not permitted', 'input': 'none'}]",
          type: "BadRequestError",
          param: null,
          code: 400,
        },
      },
      {
        when: asksSystem,
        status: 400,
        body: {
          object: "error",
          message: "System role not supported",
          type: "BadRequestError",
          param: null,
          code: 400,
        },
      },
    ],
    message: (json) => ({ content: `Okay, {"category":"other"} would be wrong.\n</think>\n\n${json}` }),
    learns: { reasoning: PLAIN, system: "the instructions in the user's message" },
  },
  {
    name: "llama.cpp",
    model: "gemma-3-12b",
    tellsNoUsage: true,
    refusals: [
      {
        when: asksFormat("json_schema"),
        status: 500,
        body: {
          error: {
            code: 500,
            message: "Failed to initialize samplers: failed to parse grammar",
            type: "server_error",
          },
        },
      },
      {
        when: asksSystem,
        status: 500,
        body: {
          error: {
            code: 500,
            message:
              "Error: Jinja Exception: Conversation roles must alternate user/assistant/user/assistant/...",
            type: "server_error",
          },
        },
      },
    ],
    learns: {
      schema: "response_format json_object",
      system: "the instructions in the user's message",
      usage: ESTIMATED,
    },
  },
  {
    name: "Ollama",
    model: "gemma3",
    tellsNoUsage: true,
    refusals: [{
      when: asks("reasoning_effort"),
      status: 400,
      body: openai('"gemma3" does not support thinking'),
    }],
    message: (json) => ({ content: json.replaceAll('"', "'") }),
    learns: { reasoning: PLAIN, usage: ESTIMATED },
  },
  {
    name: "LM Studio",
    model: "local-model",
    refusals: [
      { when: asks("logprobs"), status: 400, body: { error: "'logprobs' is not supported" } },
      {
        when: asks("response_format"),
        status: 400,
        body: { error: "'response_format.type' must be 'text'" },
      },
    ],
    message: (json) => ({ content: `[THINK]other?[/THINK]${json.replace(/\}$/, ",}")}` }),
    learns: { logprobs: PLAIN, schema: PLAIN },
  },
  {
    name: "LiteLLM",
    model: "bedrock-model",
    refusals: [{
      when: (request) => "logprobs" in request || "reasoning_effort" in request,
      status: 400,
      body: {
        error: {
          message:
            "litellm.UnsupportedParamsError: bedrock does not support parameters: ['logprobs', 'reasoning_effort'], for model=m. To drop these, set `litellm.drop_params=True`",
          type: "None",
          param: "None",
          code: "400",
        },
      },
    }],
    learns: { logprobs: PLAIN, reasoning: PLAIN },
  },
  {
    name: "a gateway that answers HTML with 502",
    model: "any",
    refusals: [{ when: () => true, once: true, status: 502, body: "<html><h1>Bad gateway</h1></html>" }],
    learns: {},
  },
  {
    name: "a gateway that answers HTML with 200",
    model: "any",
    refusals: [{ when: () => true, once: true, status: 200, body: "<html><h1>Sign in</h1></html>" }],
    learns: {},
  },
];
