// The exchange of one attempt over a kept-alive connection, with a time limit; whatever happens is an outcome.

import { Agent, type Dispatcher, errors } from "undici";
import type { Action, NoAnswer, Outcome } from "../../contract/outcome.ts";
import { CLASSIFY_PATH, RequestHeader, ResponseHeader } from "../../contract/protocol.ts";
import { parseRetryAfter } from "../../contract/retry_after.ts";
import type { Limited, Tick, TimerWheel } from "./timer_wheel.ts";
import type { Endpoint } from "../discovery/endpoints.ts";

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
  /** The whole attempt's time limit, in ms; the worker is told it as `Ackpool-Deadline`. */
  readonly timeoutMs: number;
  /** Time limit for the answer's first byte, in ms; absent leaves it to the whole one. */
  readonly firstByteMs?: number | undefined;
  /** Gives the attempt up. */
  readonly signal?: AbortSignal;
  /** The caller passes the answer on and wants all of it; otherwise a success's body is let go unread. */
  readonly whole?: boolean;
}

/** The body of an answer and its headers, for callers who pass it on. */
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
export function send(
  agent: Agent,
  endpoint: Endpoint,
  attempt: AttemptRequest,
  timers: TimerWheel,
): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const exchange = new Exchange(attempt, timers, resolve, reject);
    const options = {
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
    agent.dispatch(options, exchange);
  });
}

const NOTHING = new Uint8Array();

/** One request and its answer, as undici tells of it. Ends exactly once. */
class Exchange implements Dispatcher.DispatchHandler, Limited {
  readonly #attempt: AttemptRequest;
  readonly #timers: TimerWheel;
  readonly #startedMs = performance.now();
  #tick: Tick;
  readonly #resolve: (answered: Answered) => void;
  readonly #reject: (error: Error) => void;
  #controller: Dispatcher.DispatchController | undefined;
  #ended = false;
  #status = 0;
  #headers: Readonly<Record<string, string>> = {};
  #keeps = false;
  #keptBytes = 0;
  #chunks: Uint8Array[] = [];

  constructor(
    attempt: AttemptRequest,
    timers: TimerWheel,
    resolve: (answered: Answered) => void,
    reject: (error: Error) => void,
  ) {
    this.#attempt = attempt;
    this.#timers = timers;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#tick = timers.add(this, Math.min(attempt.timeoutMs, attempt.firstByteMs ?? Infinity));
    attempt.signal?.addEventListener("abort", this.#abandon, { once: true });
    if (attempt.signal?.aborted) this.#abandon();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#ended) controller.abort(new Error("Ended before it began"));
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (status < 200 || this.#ended) return;
    this.#status = status;
    this.#expectTheRest();
    this.#headers = flatten(headers);
    this.#keeps = this.#attempt.whole === true || status >= 300;
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Uint8Array): void {
    if (!this.#keeps) return;
    if (this.#attempt.whole !== true && this.#keptBytes >= PROBLEM_BYTES_MAX) return;
    this.#keptBytes += chunk.length;
    this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    const body = concatenate(this.#chunks, this.#keptBytes);
    this.#end({ outcome: readAnswer(this.#status, this.#headers, body), headers: this.#headers, body });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#end({ outcome: noAnswer(error), headers: {}, body: NOTHING });
  }

  expire(): void {
    const outcome = this.#late();
    this.#end({ outcome, headers: {}, body: NOTHING });
    this.#controller?.abort(new Error(outcome.detail));
  }

  /** Where it hangs: without a connection it reached nobody, so that it is a refusal and no record's fault. */
  #late(): NoAnswer {
    const { timeoutMs, firstByteMs = Infinity } = this.#attempt;
    const limitMs = this.#status === 0 ? Math.min(timeoutMs, firstByteMs) : timeoutMs;
    if (this.#controller === undefined) {
      return { kind: "refused", detail: `No connection within ${limitMs} ms`, limit: "connect" };
    }
    if (this.#status === 0) {
      return { kind: "timeout", detail: `No answer within ${limitMs} ms`, limit: "first-byte" };
    }
    return { kind: "timeout", detail: `No end of the answer within ${limitMs} ms`, limit: "whole" };
  }

  /** The first byte came in time: from now on the whole attempt's limit counts. */
  #expectTheRest(): void {
    const { timeoutMs, firstByteMs } = this.#attempt;
    if (firstByteMs === undefined || firstByteMs >= timeoutMs) return;
    this.#timers.remove(this, this.#tick);
    this.#tick = this.#timers.add(this, timeoutMs - (performance.now() - this.#startedMs));
  }

  readonly #abandon = () => {
    if (this.#ended) return;
    this.#finish();
    this.#reject(new AttemptAbandoned("The attempt was given up"));
    this.#controller?.abort(new Error("The attempt was given up"));
  };

  #end(answered: Answered): void {
    if (this.#ended) return;
    this.#finish();
    this.#resolve(answered);
  }

  #finish(): void {
    this.#ended = true;
    this.#timers.remove(this, this.#tick);
    this.#attempt.signal?.removeEventListener("abort", this.#abandon);
  }
}

function readAnswer(status: number, headers: Readonly<Record<string, string>>, body: Uint8Array): Outcome {
  const retryAfter = headers[ResponseHeader.retryAfter];
  const action = readAction(headers[ResponseHeader.action]);
  if (status < 300 && retryAfter === undefined && action === undefined) return { kind: "answer", status };
  const retryAfterMs = parseRetryAfter(retryAfter, Date.now());
  const text = status < 300 ? undefined : new TextDecoder().decode(body.subarray(0, PROBLEM_BYTES_MAX));
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

function concatenate(chunks: readonly Uint8Array[], bytes: number): Uint8Array {
  const [only] = chunks;
  if (only === undefined) return NOTHING;
  if (chunks.length === 1) return only;
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
