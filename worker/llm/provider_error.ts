// Error of a provider, in whatever shape it comes: OpenAI's object, Gemini's list, vLLM's flat body, pydantic's details,
// one inside another's text. The shape does not matter: one table says which keys hold what.

/** What an error says, wherever it says it. */
export interface ProviderError {
  /** The status that the error itself names, or else that of the answer. */
  readonly status: number;
  /** The status it came under. */
  readonly answeredStatus: number;
  /** Codes, types and reasons, in lower case. */
  readonly codes: readonly string[];
  /** All sentences, in lower case. They may repeat the ticket. */
  readonly text: string;
  /** Names of parameters that are said to be at fault, such as `temperature` or `messages.0.role`. */
  readonly params: readonly string[];
  readonly headers: Headers | undefined;
}

type What = "text" | "code" | "param" | "params" | "inside";

/** What the value under a key is. Values under other keys are looked into, those of `SKIPPED` are not. */
const KEYS: Readonly<Record<string, What>> = {
  message: "text",
  msg: "text",
  detail: "text",
  description: "text",
  error: "text",
  errors: "text",
  reasons: "text",
  error_description: "text",
  error_message: "text",
  title: "text",
  raw: "text",
  retrydelay: "text",
  code: "code",
  type: "code",
  status: "code",
  reason: "code",
  error_type: "code",
  error_code: "code",
  status_code: "code",
  status_msg: "text",
  finish_reason: "code",
  param: "param",
  field: "param",
  parameter: "param",
  loc: "param",
  unsupported_parameters: "params",
  unsupported_params: "params",
};
/** What was sent comes back under these: it is not the provider's word. */
const SKIPPED = new Set(["input", "ctx", "url", "prompt", "messages", "request", "body", "flagged_input"]);
const NODES_MAX = 300;
const DEPTH_MAX = 8;
const TEXT_MAX = 4_000;
const PARAMS_MAX = 30;
/** A name, not a sentence. */
const PARAM = /^[\w.[\]-]{1,120}$/;
/** What Python's gateways write for none. */
const NO_PARAM = /^(?:none|null|undefined)?$/i;
const CODE = /^[\w.-]{1,64}$/;

/** What a ticket says that an error would be read from, if a provider repeated it. */
const FORGERY = /"(?:error|code|type|status|reason|param|params|parameter|field|loc)\\?"\s{0,9}:/;

/** Reads an error's body. `sent` is what the ticket says: where it looks like an error, what both say is not believed. */
export function providerError(
  body: unknown,
  status: number,
  headers: Headers | undefined,
  sent = "",
): ProviderError {
  const found = new Findings();
  found.look(body, "text", 0);
  if (FORGERY.test(sent)) found.dismiss(sent.toLowerCase());
  const named = found.codes.map(Number).find((code) => Number.isInteger(code) && code >= 400 && code < 600);
  return {
    status: named ?? status,
    answeredStatus: status,
    codes: found.codes,
    text: found.texts.join("\n").slice(0, TEXT_MAX).toLowerCase(),
    params: found.params.slice(0, PARAMS_MAX),
    headers,
  };
}

class Findings {
  codes: readonly string[] = [];
  readonly texts: string[] = [];
  params: readonly string[] = [];
  #nodes = 0;

  /** Forgets what the ticket says, too. */
  dismiss(ticket: string): void {
    this.codes = this.codes.filter((code) => !ticket.includes(code));
    this.params = this.params.filter((param) => !ticket.includes(param));
  }

  look(value: unknown, what: What, depth: number): void {
    if (depth > DEPTH_MAX || this.#nodes++ > NODES_MAX) return;
    if (what === "param" && Array.isArray(value)) return this.#param(value.join("."));
    if (Array.isArray(value)) return value.forEach((each) => this.look(each, what, depth + 1));
    if (typeof value === "object" && value !== null) return this.#lookInside(value, depth);
    if (typeof value !== "string" && typeof value !== "number") return;
    this.#take(String(value), what, depth);
  }

  #lookInside(value: object, depth: number): void {
    for (const [key, inner] of Object.entries(value)) {
      const name = key.toLowerCase();
      if (!SKIPPED.has(name)) this.look(inner, KEYS[name] ?? "inside", depth + 1);
    }
  }

  #take(text: string, what: What, depth: number): void {
    switch (what) {
      case "text": {
        const inner = depth < DEPTH_MAX ? jsonOf(text) : undefined;
        return inner === undefined
          ? void this.texts.push(text.slice(0, TEXT_MAX))
          : this.look(inner, "text", depth + 1);
      }
      case "code":
        if (CODE.test(text)) this.codes = [...this.codes, text.toLowerCase()];
        else this.texts.push(text.slice(0, TEXT_MAX));
        return;
      case "param":
      case "params":
        return this.#param(text);
      case "inside":
        return;
      default:
        return what satisfies never;
    }
  }

  #param(text: string): void {
    if (NO_PARAM.test(text)) return;
    if (PARAM.test(text)) {
      this.params = [...this.params, text.toLowerCase().replace(/^(?:body|query)\./, "")];
    } else this.texts.push(text.slice(0, TEXT_MAX));
  }
}

/** Gateways put the JSON of the one behind them into their message. */
function jsonOf(text: string): unknown {
  if (!/^\s{0,10}[{[]/.test(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
