// HandlerSender: a handler in this process in place of a worker behind HTTP, with the same outcomes.

import type { Outcome } from "../../shared/contract/outcome.ts";
import type { Answered, AttemptRequest } from "../../shared/pool/exchange/buffered.ts";
import { RequestHeader } from "../../shared/contract/protocol.ts";
import type { Sender } from "./sender.ts";
import type { KafkaRecord } from "../records/record.ts";

/** Thrown by a handler: not now, again in so many ms. It consumes no attempt. */
export class RetryLater extends Error {
  override readonly name = "RetryLater";
  constructor(readonly waitMs: number) {
    super(`Again in ${waitMs} ms`);
    if (!(waitMs >= 0)) {
      throw new RangeError(`Cannot retry as 'waitMs' is not a wait: current value is ${waitMs}`);
    }
  }
}

/** Thrown by a handler: this record is bad, whatever is tried. */
export class DeadLetter extends Error {
  override readonly name = "DeadLetter";
  /** @param reason goes into the dead letter's `ackpool-problem`. */
  constructor(readonly reason: string) {
    super(reason);
  }
}

/** What a handler gets besides the value. */
export interface HandlerContext {
  /** Key, headers and bytes as they were, and where they come from. */
  readonly record: KafkaRecord;
  /** Calls for this record, this one included, from 1. */
  readonly attempt: number;
  /** The same for every attempt of a record, and for its replays. */
  readonly idempotencyKey: string;
  /** Fires when the time limit is over: the attempt has failed by then, whatever the handler does. */
  readonly signal: AbortSignal;
}

/** Handles one record. Returning settles it. */
export type Handler<T> = (value: T, context: HandlerContext) => unknown;

/** How records reach a handler. */
export interface HandlerConfig<T> {
  readonly handler: Handler<T>;
  /** The value of a record; what it throws makes the record a dead letter. */
  readonly unpack: (record: KafkaRecord) => T;
  /** Whether what the handler depends on is there; asked where a failure may be anybody's. */
  readonly health: () => boolean | Promise<boolean>;
  /** Calls at once. */
  readonly concurrency: number;
}

/** Sends attempts to a handler. */
export class HandlerSender<T> implements Sender {
  readonly #config: HandlerConfig<T>;
  readonly replicas = [];

  constructor(config: HandlerConfig<T>) {
    this.#config = config;
  }

  get permits(): number {
    return this.#config.concurrency;
  }

  /** The permits never change. */
  onChange(): void {}

  async send(attempt: AttemptRequest, record: KafkaRecord): Promise<Answered> {
    return { outcome: await this.#outcome(attempt, record), headers: {} };
  }

  async checkReady(): Promise<boolean> {
    try {
      return await this.#config.health();
    } catch {
      return false;
    }
  }

  causes(): readonly [] {
    return [];
  }

  start(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async #outcome({ headers, timeoutMs }: AttemptRequest, record: KafkaRecord): Promise<Outcome> {
    const controller = new AbortController();
    const late = Promise.withResolvers<Outcome>();
    const timer = setTimeout(() => {
      late.resolve({ kind: "timeout", detail: `The handler took more than ${timeoutMs} ms` });
      controller.abort();
    }, timeoutMs);
    try {
      const context = {
        record,
        attempt: Number(headers[RequestHeader.attempt]),
        idempotencyKey: (headers[RequestHeader.idempotencyKey] ?? "").replaceAll('"', ""),
        signal: controller.signal,
      };
      return await Promise.race([this.#handle(record, context), late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #handle(record: KafkaRecord, context: HandlerContext): Promise<Outcome> {
    let value: T;
    try {
      value = this.#config.unpack(record);
    } catch (error) {
      return { kind: "answer", status: 422, excerpt: excerptOf(error) };
    }
    try {
      await this.#config.handler(value, context);
      return { kind: "answer", status: 200 };
    } catch (error) {
      return toOutcome(error);
    }
  }
}

/** What a handler threw, as the status a worker would have answered with. */
function toOutcome(error: unknown): Outcome {
  if (error instanceof RetryLater) return { kind: "answer", status: 425, retryAfterMs: error.waitMs };
  if (error instanceof DeadLetter) {
    return { kind: "answer", status: 422, action: "dead-letter", excerpt: excerptOf(error) };
  }
  return { kind: "answer", status: 500, excerpt: excerptOf(error) };
}

function excerptOf(error: unknown): string {
  return String(error instanceof Error ? error.message : error).slice(0, 1024);
}
