// The exchange of one attempt, with a time limit. Whatever happens becomes an outcome.

import { type Dispatcher, errors } from "undici";
import type { Action, NoAnswer, Outcome } from "../../contract/outcome.ts";
import { CLASSIFY_PATH, RequestHeader, ResponseHeader } from "../../contract/protocol.ts";
import { parseRetryAfter } from "../../contract/retry_after.ts";
import type { Connections } from "./connections.ts";
import type { Limited, Tick, TimerWheel } from "./timer_wheel.ts";
import { statusOf } from "./undici_patches.ts";
import type { Endpoint } from "../discovery/endpoints.ts";

/** How much of a refusal's body is kept, in characters: what a dead letter quotes. */
const EXCERPT_CHARS_MAX = 1024;
/** How much of it is read, in bytes: so many characters of UTF-8. */
export const REFUSAL_BYTES_MAX = 4 * EXCERPT_CHARS_MAX;
/** How long it is waited for, in ms. */
export const REFUSAL_BODY_MS = 5000;
/** A success's body is let go unread. A larger one, in bytes, or a slower one, in ms, costs its connection. */
export const SUCCESS_BYTES_MAX = 65_536;
export const SUCCESS_BODY_MS = 1000;

/** What is sent: `POST /classify` unless it says otherwise. */
export interface AttemptRequest {
  readonly method?: Dispatcher.HttpMethod;
  /** Path and query under the replica's base URL. */
  readonly path?: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Null for a tombstone: an empty body. */
  readonly body: Uint8Array | null;
  /** The whole attempt's time limit, in ms; the worker is told it as `Ackpool-Deadline`. */
  readonly timeoutMs: number;
  /** Time limit for the answer's first byte, in ms; absent leaves it to the whole one. */
  readonly firstByteMs?: number | undefined;
  /** Gives the attempt up. */
  readonly signal?: AbortSignal;
}

/** What an attempt came to, and the answer's headers; none where no answer came. */
export interface Answered {
  readonly outcome: Outcome;
  readonly headers: Readonly<Record<string, string>>;
}

/** What exchanges work with. */
export interface ExchangePorts {
  readonly connections: Connections;
  readonly timers: TimerWheel;
  /** Longest `Retry-After` that is honoured, in ms. */
  readonly retryAfterMaxMs: number;
}

/** The caller gave the attempt up: there is no outcome. */
export class AttemptAbandoned extends Error {
  override readonly name = "AttemptAbandoned";
}

/**
 * Sends one attempt to one replica. Redirects are never followed.
 *
 * @throws {AttemptAbandoned} when `signal` fired; every other failure is an outcome.
 */
export function send(ports: ExchangePorts, endpoint: Endpoint, attempt: AttemptRequest): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const exchange = new Exchange(attempt, ports, resolve, reject);
    const request = {
      origin: endpoint.origin,
      path: endpoint.basePath + (attempt.path ?? CLASSIFY_PATH),
      method: attempt.method ?? "POST",
      headers: {
        ...attempt.headers,
        [RequestHeader.deadline]: String(Math.round(attempt.timeoutMs)),
        host: endpoint.url.host,
      },
      body: attempt.body,
    };
    ports.connections.dispatch(request, exchange, true);
  });
}

/**
 * One request and its answer, as undici tells of it. The status decides what the attempt came to: what is wrong with a
 * body changes nothing about it.
 */
class Exchange implements Dispatcher.DispatchHandler, Limited {
  readonly #attempt: AttemptRequest;
  readonly #ports: ExchangePorts;
  readonly #startedMs = performance.now();
  #tick: Tick;
  readonly #resolve: (answered: Answered) => void;
  readonly #reject: (error: Error) => void;
  #controller: Dispatcher.DispatchController | undefined;
  /** The caller has its answer. */
  #answered = false;
  /** Nothing of it is waited for any more. */
  #over = false;
  #status = 0;
  #headers: Readonly<Record<string, string>> = {};
  #bodyBytes = 0;
  #chunks: Uint8Array[] = [];

  constructor(
    attempt: AttemptRequest,
    ports: ExchangePorts,
    resolve: (answered: Answered) => void,
    reject: (error: Error) => void,
  ) {
    this.#attempt = attempt;
    this.#ports = ports;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#tick = ports.timers.add(this, this.#firstLimitMs);
    attempt.signal?.addEventListener("abort", this.#abandon, { once: true });
    if (attempt.signal?.aborted) this.#abandon();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#over) controller.abort(new Error("Over before it began"));
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (status < 200 || this.#over) return;
    this.#status = status;
    this.#headers = flatten(headers);
    if (isSuccess(status)) this.#answer();
    const { timers } = this.#ports;
    timers.remove(this, this.#tick);
    this.#tick = timers.add(
      this,
      isSuccess(status) ? SUCCESS_BODY_MS : Math.min(REFUSAL_BODY_MS, this.#leftMs),
    );
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Uint8Array): void {
    if (this.#over) return;
    this.#bodyBytes += chunk.length;
    if (!this.#answered) this.#chunks.push(chunk);
    const most = isSuccess(this.#status) ? SUCCESS_BYTES_MAX : REFUSAL_BYTES_MAX;
    if (this.#bodyBytes >= most) this.#close(controller);
  }

  onResponseEnd(): void {
    this.#answer();
    this.#finish();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#status ||= statusOf(error) ?? 0;
    if (this.#status === 0) this.#end(noAnswer(error));
    else this.onResponseEnd();
  }

  expire(): void {
    if (this.#status !== 0) return this.#close(this.#controller);
    const outcome = lateOutcome(this.#firstLimitMs, this.#controller !== undefined);
    this.#end(outcome);
    this.#controller?.abort(new Error(outcome.detail));
  }

  get #firstLimitMs(): number {
    return Math.min(this.#attempt.timeoutMs, this.#attempt.firstByteMs ?? Infinity);
  }

  get #leftMs(): number {
    return this.#attempt.timeoutMs - (performance.now() - this.#startedMs);
  }

  readonly #abandon = () => {
    if (this.#over) return;
    this.#finish();
    this.#reject(new AttemptAbandoned("The attempt was given up"));
    this.#controller?.abort(new Error("The attempt was given up"));
  };

  /** Enough of the body has come, or waiting for more of it is over. */
  #close(controller: Dispatcher.DispatchController | undefined): void {
    this.onResponseEnd();
    controller?.abort(new Error("The rest of the answer is not wanted"));
  }

  #answer(): void {
    if (this.#answered) return;
    this.#answered = true;
    const text = isSuccess(this.#status) ? undefined : textOf(this.#chunks);
    const outcome = readAnswer(this.#status, this.#headers, text, this.#ports.retryAfterMaxMs);
    this.#resolve({ outcome, headers: this.#headers });
  }

  #end(outcome: NoAnswer): void {
    if (this.#over) return;
    this.#finish();
    this.#resolve({ outcome, headers: {} });
  }

  #finish(): void {
    this.#over = true;
    this.#ports.timers.remove(this, this.#tick);
    this.#attempt.signal?.removeEventListener("abort", this.#abandon);
  }
}

const isSuccess = (status: number) => status < 300;

/** What an answer came to. @param text what there is of a refusal's body. */
export function readAnswer(
  status: number,
  headers: Readonly<Record<string, string>>,
  text: string | undefined,
  retryAfterMaxMs: number,
): Outcome {
  const retryAfter = headers[ResponseHeader.retryAfter];
  const action = readAction(headers[ResponseHeader.action]);
  if (isSuccess(status) && retryAfter === undefined && action === undefined) {
    return { kind: "answer", status };
  }
  const retryAfterMs = parseRetryAfter(retryAfter, Date.now(), retryAfterMaxMs);
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

/** As much of a body as is wanted. A character that was cut through at its end is left out. */
export function textOf(chunks: readonly Uint8Array[]): string {
  const decoder = new TextDecoder();
  return chunks.map((chunk) => decoder.decode(chunk, { stream: true })).join("");
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
    return text.length < EXCERPT_CHARS_MAX ? undefined : cutProblemType(text);
  }
}

const TYPE_MEMBER = /"type"\s*:\s*("(?:[^"\\]|\\.)*")/g;

/** The `type` of a JSON object whose end has not come: the first one that stands in no other value. */
function cutProblemType(text: string): string | undefined {
  for (const { index, 1: type = "" } of text.matchAll(TYPE_MEMBER)) {
    const before = text.slice(0, index).replace(/"(?:[^"\\]|\\.)*"/g, "");
    const depth = before.replace(/[^[{]/g, "").length - before.replace(/[^\]}]/g, "").length;
    if (depth !== 1 || !/^\s*\{/.test(before)) continue;
    try {
      return JSON.parse(type);
    } catch {
      return undefined;
    }
  }
}

/** Which limit has passed. Without a connection the attempt reached nobody, so it counts as refused. */
export function lateOutcome(limitMs: number, connected: boolean): NoAnswer {
  return connected
    ? { kind: "timeout", detail: `No answer within ${limitMs} ms`, limit: "first-byte" }
    : { kind: "refused", detail: `No connection within ${limitMs} ms`, limit: "connect" };
}

const REFUSED = new Set(["ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "ENOTFOUND"]);

/** What an error of undici means. */
export function noAnswer(error: Error & { code?: string }): NoAnswer {
  const { code, message } = error;
  const detail = String(code ?? message);
  if (error instanceof errors.ConnectTimeoutError) return { kind: "refused", detail, limit: "connect" };
  return { kind: REFUSED.has(code ?? "") ? "refused" : "reset", detail };
}

/** Headers with one value each. */
export function flatten(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const name in headers) {
    const value = headers[name];
    if (value !== undefined) flat[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  return flat;
}
