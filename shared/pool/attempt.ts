// One attempt with a deadline, over kept-alive connections; whatever happens comes back as an outcome.

import { Agent, type Dispatcher, errors, request } from "undici";
import { type Action, type NoAnswer, type Outcome } from "../outcome.ts";
import { CLASSIFY_PATH, ResponseHeader } from "../protocol.ts";
import { parseRetryAfter } from "../retry_after.ts";
import type { Endpoint } from "./resolve.ts";

/** How much of a refusal is read to find its problem type, in bytes. */
const PROBLEM_BYTES_MAX = 65_536;
/** How much of it is kept, in characters. */
const EXCERPT_CHARS_MAX = 1024;

/** What is sent: `POST /classify` unless it says otherwise. */
export interface AttemptRequest {
  readonly method?: Dispatcher.HttpMethod;
  /** Path and query under the replica's base URL. */
  readonly path?: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Null for a tombstone: an empty body. */
  readonly body: Uint8Array | null;
  /** The whole attempt's time limit, in ms. */
  readonly timeoutMs: number;
  /** Gives the attempt up. */
  readonly signal?: AbortSignal;
}

/** The body of an answer and its media type, for callers who pass it on. */
export interface Answered {
  readonly outcome: Outcome;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** The caller gave the attempt up: there is no outcome. */
export class AttemptAbandoned extends Error {
  override readonly name = "AttemptAbandoned";
}

/** Connections to all replicas. */
export function createAgent(connectTimeoutMs: number): Agent {
  return new Agent({
    connect: { timeout: connectTimeoutMs },
    pipelining: 1,
    keepAliveTimeout: 30_000,
    // The attempt's own time limit is the only one.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
}

/**
 * Sends one attempt to one replica. Redirects are never followed.
 *
 * @throws {AttemptAbandoned} when `signal` fired; every other failure is an outcome.
 */
export async function send(agent: Agent, endpoint: Endpoint, attempt: AttemptRequest): Promise<Answered> {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), attempt.timeoutMs);
  const giveUp = () => controller.abort();
  attempt.signal?.addEventListener("abort", giveUp, { once: true });
  try {
    const response = await request(endpoint.address + (attempt.path ?? CLASSIFY_PATH), {
      dispatcher: agent,
      method: attempt.method ?? "POST",
      headers: { ...attempt.headers, host: endpoint.url.host },
      body: attempt.body,
      signal: controller.signal,
    });
    const body = new Uint8Array(await response.body.arrayBuffer());
    const headers = flatten(response.headers);
    return { outcome: readAnswer(response.statusCode, headers, body), headers, body };
  } catch (error) {
    if (attempt.signal?.aborted) throw new AttemptAbandoned("The attempt was given up");
    return { outcome: noAnswer(error, controller.signal.aborted), headers: {}, body: new Uint8Array() };
  } finally {
    clearTimeout(timer);
    attempt.signal?.removeEventListener("abort", giveUp);
  }
}

function readAnswer(status: number, headers: Record<string, string>, body: Uint8Array): Outcome {
  const success = status >= 200 && status < 300;
  const retryAfterMs = parseRetryAfter(headers[ResponseHeader.retryAfter], Date.now());
  const action = readAction(headers[ResponseHeader.action]);
  const text = success ? undefined : new TextDecoder().decode(body.subarray(0, PROBLEM_BYTES_MAX));
  const problemType = text === undefined ? undefined : readProblemType(text);
  return {
    kind: "answer",
    status,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(action === undefined ? {} : { action }),
    ...(problemType === undefined ? {} : { problemType }),
    ...(text === undefined ? {} : { excerpt: text.slice(0, EXCERPT_CHARS_MAX) }),
  };
}

function readAction(value: string | undefined): Action | undefined {
  const word = value?.trim().toLowerCase();
  return word === "settle" || word === "retry" || word === "dead-letter" ? word : undefined;
}

function readProblemType(text: string): string | undefined {
  try {
    const { type } = JSON.parse(text) as { type?: unknown };
    return typeof type === "string" ? type : undefined;
  } catch {
    return undefined;
  }
}

function noAnswer(error: unknown, timedOut: boolean): NoAnswer {
  const { code, message } = error as { code?: string; message?: string };
  const detail = String(code ?? message ?? error);
  if (timedOut || error instanceof errors.ConnectTimeoutError) return { kind: "timeout", detail };
  const refused = ["ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "ENOTFOUND"].includes(code ?? "");
  return { kind: refused ? "refused" : "reset", detail };
}

function flatten(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) flat[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  return flat;
}
