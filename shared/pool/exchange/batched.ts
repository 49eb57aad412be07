// The exchange of one batch: many attempts in one request, an answer a line. Each has its own time limit and outcome.

import type { Dispatcher } from "undici";
import { BATCH_PATH, NDJSON, readAnswerLine, writeRecordLine } from "../../contract/batch_lines.ts";
import { RequestHeader } from "../../contract/protocol.ts";
import type { NoAnswer } from "../../contract/outcome.ts";
import { LineSplitter } from "../../http/line_splitter.ts";
import type { Endpoint } from "../discovery/endpoints.ts";
import {
  type Answered,
  AttemptAbandoned,
  type AttemptRequest,
  type ExchangePorts,
  flatten,
  lateOutcome,
  noAnswer,
  readAnswer,
  REFUSAL_BODY_MS,
  REFUSAL_BYTES_MAX,
  SUCCESS_BODY_MS,
  textOf,
} from "./buffered.ts";
import type { Limited, Tick } from "./timer_wheel.ts";
import { statusOf } from "./undici_patches.ts";

/** Longest line of an answer, in bytes: a problem, never a label. */
const LINE_BYTES_MAX = 65_536;
/** Whole answers that are about the batch and say nothing about a record in it. */
const MISUNDERSTOOD = new Set([400, 404, 405, 411, 413, 414, 415, 422, 501]);

/** One attempt of a batch. */
export interface BatchedAttempt {
  readonly attempt: AttemptRequest;
  readonly resolve: (answered: Answered) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Sends attempts to one replica, as one request.
 *
 * @param batch by idempotency key.
 * @param alone gets every attempt of a batch that the replica did not understand, with the time it has left.
 */
export function startBatch(
  ports: ExchangePorts,
  endpoint: Endpoint,
  batch: ReadonlyMap<string, BatchedAttempt>,
  alone: (batched: BatchedAttempt) => void,
): void {
  const [first] = batch.values();
  const { authorization } = first?.attempt.headers ?? {};
  const lines = [...batch.values()].map(({ attempt: { headers, body, timeoutMs } }) => {
    const { authorization: _, ...own } = headers;
    const deadline = { [RequestHeader.deadline]: String(Math.round(timeoutMs)) };
    return writeRecordLine({ headers: { ...own, ...deadline }, body });
  });
  const request = {
    origin: endpoint.origin,
    path: endpoint.basePath + BATCH_PATH,
    method: "POST" as const,
    headers: {
      "content-type": NDJSON,
      "accept": NDJSON,
      "host": endpoint.url.host,
      ...(authorization === undefined ? {} : { authorization }),
    },
    body: lines.join(""),
  };
  ports.connections.dispatch(request, new BatchExchange(ports, batch, alone), true);
}

/** A record whose line has not come. */
class OpenLine implements Limited {
  readonly batched: BatchedAttempt;
  readonly limitMs: number;
  readonly expire: () => void;
  readonly abandon: () => void;
  readonly tick: Tick;

  constructor(
    batched: BatchedAttempt,
    { timers }: ExchangePorts,
    late: (line: OpenLine) => void,
    abandon: () => void,
  ) {
    const { timeoutMs, firstByteMs, signal } = batched.attempt;
    this.batched = batched;
    this.limitMs = Math.min(timeoutMs, firstByteMs ?? Infinity);
    this.expire = () => late(this);
    this.abandon = abandon;
    this.tick = timers.add(this, this.limitMs);
    signal?.addEventListener("abort", abandon, { once: true });
  }
}

/** The request and its answer, as undici tells of it. */
class BatchExchange implements Dispatcher.DispatchHandler, Limited {
  readonly #ports: ExchangePorts;
  readonly #alone: (batched: BatchedAttempt) => void;
  readonly #startedMs = performance.now();
  /** Records without an answer, by key. */
  readonly #open: Map<string, OpenLine> = new Map();
  readonly #lines = new LineSplitter(LINE_BYTES_MAX);
  #controller: Dispatcher.DispatchController | undefined;
  #tick: Tick | undefined;
  #status = 0;
  #headers: Readonly<Record<string, string>> = {};
  #refusal: Uint8Array[] = [];
  #refusalBytes = 0;

  constructor(
    ports: ExchangePorts,
    batch: ReadonlyMap<string, BatchedAttempt>,
    alone: (batched: BatchedAttempt) => void,
  ) {
    this.#ports = ports;
    this.#alone = alone;
    for (const [key, batched] of batch) {
      const late = ({ limitMs }: OpenLine) => this.#late(key, limitMs);
      this.#open.set(key, new OpenLine(batched, ports, late, () => this.#abandoned(key)));
      if (batched.attempt.signal?.aborted) this.#abandoned(key);
    }
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    this.#endIfNobodyWaits();
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (status < 200) return;
    this.#status = status;
    if (status === 200) return;
    this.#headers = flatten(headers);
    this.#tick = this.#ports.timers.add(this, REFUSAL_BODY_MS);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Uint8Array): void {
    if (this.#status === 200) return this.#lines.push(chunk).forEach((line) => this.#answer(line));
    this.#refusal.push(chunk);
    this.#refusalBytes += chunk.length;
    if (this.#refusalBytes < REFUSAL_BYTES_MAX) return;
    this.onResponseEnd();
    controller.abort(new Error("The rest of the answer is not wanted"));
  }

  onResponseEnd(): void {
    if (this.#status === 200) this.#lines.end().forEach((line) => this.#answer(line));
    this.#end({ kind: "reset", detail: "The answer ended without this record's line" });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#status ||= statusOf(error) ?? 0;
    this.#end(this.#status === 200 ? { ...noAnswer(error), kind: "reset" } : noAnswer(error));
  }

  /** The rest of the answer has taken too long. */
  expire(): void {
    this.onResponseEnd();
    this.#controller?.abort(new Error("The answer did not end"));
  }

  #answer(text: string): void {
    const line = readAnswerLine(text);
    const open = line && this.#take(line.key);
    // Unreadable, of nobody, the second one, or too late.
    if (line === undefined || open === undefined) return;
    const { status, headers, problem } = line;
    const excerpt = problem === undefined ? "" : JSON.stringify(problem);
    const refusal = status < 300 ? undefined : excerpt;
    open.resolve({ outcome: readAnswer(status, headers, refusal, this.#ports.retryAfterMaxMs), headers });
    if (this.#open.size === 0) this.#tick ??= this.#ports.timers.add(this, SUCCESS_BODY_MS);
  }

  /** The answer is over. A whole one is everybody's outcome, otherwise those without a line get `without`. */
  #end(without: NoAnswer): void {
    if (this.#tick !== undefined) this.#ports.timers.remove(this, this.#tick);
    const [status, headers] = [this.#status, this.#headers];
    const again = MISUNDERSTOOD.has(status);
    const outcome = status === 0 || status === 200
      ? without
      : readAnswer(status, headers, textOf(this.#refusal), this.#ports.retryAfterMaxMs);
    for (const key of [...this.#open.keys()]) {
      const batched = this.#take(key);
      if (batched === undefined) continue;
      const { attempt } = batched;
      const leftMs = Math.max(1, attempt.timeoutMs - (performance.now() - this.#startedMs));
      if (again) this.#alone({ ...batched, attempt: { ...attempt, timeoutMs: leftMs } });
      else batched.resolve({ outcome, headers });
    }
  }

  #late(key: string, limitMs: number): void {
    // A refusal whose body is still on its way is everybody's outcome.
    if (this.#status !== 0 && this.#status !== 200) return this.expire();
    this.#take(key)?.resolve({ outcome: lateOutcome(limitMs, this.#controller !== undefined), headers: {} });
    this.#endIfNobodyWaits();
  }

  #abandoned(key: string): void {
    this.#take(key)?.reject(new AttemptAbandoned("The attempt was given up"));
    this.#endIfNobodyWaits();
  }

  #endIfNobodyWaits(): void {
    if (this.#open.size === 0) this.#controller?.abort(new Error("Nobody waits for an answer any more"));
  }

  #take(key: string): BatchedAttempt | undefined {
    const open = this.#open.get(key);
    if (open === undefined) return undefined;
    this.#open.delete(key);
    this.#ports.timers.remove(open, open.tick);
    open.batched.attempt.signal?.removeEventListener("abort", open.abandon);
    return open.batched;
  }
}
