// Forwarding of one call: waits in the queue, tries replicas while nothing is lost, and returns the answer.

import { monotonicMs } from "../../shared/clock.ts";
import type { Outcome } from "../../shared/contract/outcome.ts";
import { pause } from "../../shared/wait.ts";
import { discard, type StreamedAnswer, type StreamedRequest } from "../../shared/pool/exchange/streamed.ts";
import { ruleFor } from "../../shared/contract/status_contract.ts";
import { refusalResponse, responseOf } from "./responses.ts";
import type { WaitQueue } from "./wait_queue.ts";

/** Tries without a pause: by then the pool has ejected replicas that refuse. */
const TRIES_AT_ONCE = 30;
const PAUSE_MS = 100;

/** The part of the pool that calls go through. */
export interface StreamingPool {
  /** Until when the provider behind all replicas lets nobody through, in ms since the epoch. */
  readonly providerRestUntilMs: number;
  stream(request: StreamedRequest): Promise<StreamedAnswer>;
}

/** A call that may be sent. */
export interface Call {
  readonly method: StreamedRequest["method"];
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | null;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** By `performance.now()`. */
  readonly arrivedMs: number;
}

/** The answer, and how the call got it. */
export interface Forwarded {
  readonly response: Response;
  readonly tries: number;
  /** From the arrival until the last try began, in ms. */
  readonly waitedMs: number;
  readonly replica: string | undefined;
  /** The permit is back. */
  readonly ended: Promise<void>;
}

/**
 * Sends a call. A replica that is full, draining or away did nothing with it, so the next one gets the whole call.
 *
 * @param extraHeaders header fields for the answer.
 * @throws {AttemptAbandoned} when the caller's signal fired.
 */
export async function forward(
  pool: StreamingPool,
  queue: WaitQueue,
  call: Call,
  extraHeaders: Readonly<Record<string, string>>,
): Promise<Forwarded> {
  for (let tries = 1;; tries++) {
    if (tries > TRIES_AT_ONCE) await pause(PAUSE_MS, call.signal);
    const arrival = { arrivedMs: call.arrivedMs, signal: call.signal, again: tries > 1 };
    const admittance = await queue.join(arrival, performance.now(), () => {
      const sending = pool.stream(requestOf(call));
      sending.then(({ ended }) => ended, () => {}).then(() => queue.advance());
      return { sending, waitedMs: performance.now() - call.arrivedMs };
    });
    if (admittance.kind !== "started") {
      const response = refusalResponse(
        admittance.kind,
        pool.providerRestUntilMs - monotonicMs(),
        extraHeaders,
      );
      const waitedMs = performance.now() - call.arrivedMs;
      return { response, tries: tries - 1, waitedMs, replica: undefined, ended: Promise.resolve() };
    }
    const answer = await admittance.value.sending;
    if (mayGoElsewhere(answer.outcome, call, tries)) {
      await discard(answer);
      continue;
    }
    const { replica, ended } = answer;
    return {
      response: responseOf(answer, call.method, extraHeaders),
      tries,
      waitedMs: admittance.value.waitedMs,
      replica,
      ended,
    };
  }
}

function requestOf({ method, path, headers, body, timeoutMs, signal }: Call): StreamedRequest {
  return { method, path, headers, body, timeoutMs, signal };
}

function mayGoElsewhere(outcome: Outcome, { method }: Call, tries: number): boolean {
  switch (outcome.kind) {
    case "answer":
      return ruleFor(outcome).slows === "replica";
    case "refused":
      return true;
    case "timeout":
      return false;
    case "reset":
      // Asking twice is harmless (RFC 9110 section 9.2.2). Only twice: a call that breaks one replica may break all.
      return tries === 1 && ["GET", "HEAD", "OPTIONS"].includes(method);
    default:
      return outcome satisfies never;
  }
}
