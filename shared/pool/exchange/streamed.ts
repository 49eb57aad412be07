// The exchange of one call whose answer is streamed: nothing of it is stored here, and backpressure goes through.

import type { Dispatcher } from "undici";
import type { NoAnswer, Outcome } from "../../contract/outcome.ts";
import { RequestHeader, ResponseHeader } from "../../contract/protocol.ts";
import { parseRetryAfter } from "../../contract/retry_after.ts";
import { ruleFor } from "../../contract/status_contract.ts";
import { AttemptAbandoned, type ExchangePorts, flatten, noAnswer } from "./buffered.ts";
import type { Limited, Tick } from "./timer_wheel.ts";
import type { Endpoint } from "../discovery/endpoints.ts";

/** How much of an answer waits here for a slow reader, in bytes. */
const UNREAD_BYTES_MAX = 65_536;
/** An answer nobody wants is read to its end, so that its connection is kept, up to so many bytes. */
const DISCARDED_BYTES_MAX = 65_536;

/** What is sent. */
export interface StreamedRequest {
  readonly method: Dispatcher.HttpMethod;
  /** Path and query under the replica's base URL. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | null;
  /** The whole exchange's time limit, to the last byte of the answer, in ms. */
  readonly timeoutMs: number;
  /** Gives the exchange up. */
  readonly signal: AbortSignal;
}

/** Headers as they came; a name may have come several times. */
export type AnswerHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** An answer whose body is still to come. */
export interface StreamedAnswer {
  readonly outcome: Outcome;
  /** The replica's address; undefined where there was none to send to. */
  readonly replica: string | undefined;
  readonly headers: AnswerHeaders;
  /** To be read to its end, or cancelled: no more of it comes than is read, and the permit is held until all has. */
  readonly body: ReadableStream<Uint8Array> | null;
  /** The permit is back. */
  readonly ended: Promise<void>;
}

/** What an exchange says about the replica and what is behind it. */
export interface ExchangeResult {
  readonly outcome: Outcome;
  /** Until the answer began, in ms. */
  readonly latencyMs: number;
  /** Of the answer; empty where none came. */
  readonly headers: Readonly<Record<string, string>>;
}

/** An exchange under way. */
export interface Streaming {
  /** @throws {AttemptAbandoned} when the signal fired; its reason is the cause. */
  readonly answer: Promise<Omit<StreamedAnswer, "ended" | "replica">>;
  /** Undefined where it says nothing. */
  readonly ended: Promise<ExchangeResult | undefined>;
}

/** Where there is no replica to send to. */
export const NO_REPLICA: StreamedAnswer = {
  outcome: { kind: "refused", detail: "no replica" },
  replica: undefined,
  headers: {},
  body: null,
  ended: Promise.resolve(),
};

/** Sends a request to one replica. Redirects are never followed. */
export function streamTo(ports: ExchangePorts, endpoint: Endpoint, request: StreamedRequest): Streaming {
  const exchange = new StreamedExchange(request, ports);
  const repeatable = request.method !== "POST" || request.headers[RequestHeader.idempotencyKey] !== undefined;
  ports.connections.dispatch(
    {
      origin: endpoint.origin,
      path: endpoint.basePath + request.path,
      method: request.method,
      headers: { ...request.headers, host: endpoint.url.host },
      body: request.body,
    },
    exchange,
    repeatable,
  );
  return exchange;
}

/** Lets an answer go that nobody wants. */
export async function discard({ body }: Pick<StreamedAnswer, "body">): Promise<void> {
  let bytes = 0;
  try {
    for await (const chunk of body ?? []) {
      bytes += chunk.length;
      if (bytes > DISCARDED_BYTES_MAX) return;
    }
  } catch {
    // Cut off or late: nobody wanted it anyway.
  }
}

/** A caller's mistake says nothing about the replica; its own failures, its fullness and its limits do. */
function saysSomething(outcome: Outcome): boolean {
  if (outcome.kind !== "answer" || outcome.status < 300 || outcome.status >= 500) return true;
  return ruleFor(outcome).slows !== "nobody";
}

function outcomeOf(status: number, headers: AnswerHeaders, retryAfterMaxMs: number): Outcome {
  const retryAfterMs = parseRetryAfter(headers[ResponseHeader.retryAfter], Date.now(), retryAfterMaxMs);
  return { kind: "answer", status, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}

/** One exchange, as undici tells of it. Ends exactly once. */
class StreamedExchange implements Dispatcher.DispatchHandler, Limited, Streaming {
  readonly #request: StreamedRequest;
  readonly #ports: ExchangePorts;
  readonly #tick: Tick;
  readonly #startedMs = performance.now();
  readonly #answer = Promise.withResolvers<Omit<StreamedAnswer, "ended" | "replica">>();
  readonly #ended = Promise.withResolvers<ExchangeResult | undefined>();
  #controller: Dispatcher.DispatchController | undefined;
  #body: ReadableStreamDefaultController<Uint8Array> | undefined;
  #outcome: Outcome | undefined;
  #headers: Readonly<Record<string, string>> = {};
  #latencyMs = 0;
  #over = false;

  constructor(request: StreamedRequest, ports: ExchangePorts) {
    this.#request = request;
    this.#ports = ports;
    this.#tick = ports.timers.add(this, request.timeoutMs);
    request.signal.addEventListener("abort", this.#aborted, { once: true });
    if (request.signal.aborted) this.#aborted();
  }

  get answer(): Streaming["answer"] {
    return this.#answer.promise;
  }

  get ended(): Streaming["ended"] {
    return this.#ended.promise;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#over) controller.abort(new Error("Over before it began"));
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: AnswerHeaders): void {
    if (status < 200 || this.#over) return;
    this.#outcome = outcomeOf(status, headers, this.#ports.retryAfterMaxMs);
    this.#headers = flatten(headers);
    this.#latencyMs = performance.now() - this.#startedMs;
    const body = new ReadableStream<Uint8Array>({
      start: (stream) => void (this.#body = stream),
      pull: () => controller.resume(),
      cancel: () => this.#letGo(),
    }, new ByteLengthQueuingStrategy({ highWaterMark: UNREAD_BYTES_MAX }));
    this.#answer.resolve({ outcome: this.#outcome, headers, body });
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Uint8Array): void {
    if (this.#over || this.#body === undefined) return;
    this.#body.enqueue(chunk);
    if ((this.#body.desiredSize ?? 0) <= 0) controller.pause();
  }

  onResponseEnd(): void {
    if (!this.#over) this.#body?.close();
    this.#end(this.#outcome);
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#fail(noAnswer(error));
  }

  expire(): void {
    const detail = `No answer within ${this.#request.timeoutMs} ms`;
    this.#fail({ kind: "timeout", detail });
    this.#controller?.abort(new Error(detail));
  }

  readonly #aborted = () => this.#abandon(this.#request.signal.reason);

  #abandon(cause: unknown): void {
    if (this.#over) return;
    const why = new AttemptAbandoned("The exchange was given up", { cause });
    this.#answer.promise.catch(() => {});
    this.#answer.reject(why);
    this.#body?.error(why);
    this.#end(undefined);
    this.#controller?.abort(why);
  }

  /** The reader has gone; the status that came still counts. */
  #letGo(): void {
    this.#end(this.#outcome);
    this.#controller?.abort(new Error("Nobody reads the answer"));
  }

  #fail(outcome: NoAnswer): void {
    if (this.#over) return;
    this.#body?.error(new Error(outcome.detail));
    this.#answer.resolve({ outcome, headers: {}, body: null });
    this.#end(outcome);
  }

  #end(outcome: Outcome | undefined): void {
    if (this.#over) return;
    this.#over = true;
    const latencyMs = this.#latencyMs || performance.now() - this.#startedMs;
    this.#ended.resolve(
      outcome === undefined || !saysSomething(outcome)
        ? undefined
        : { outcome, latencyMs, headers: this.#headers },
    );
    this.#ports.timers.remove(this, this.#tick);
    this.#request.signal.removeEventListener("abort", this.#aborted);
  }
}
