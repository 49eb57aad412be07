// One call's way through the pool: its turn in the line, replica after replica while nothing is lost, and its answer.

import type { Outcome } from "../../shared/contract/outcome.ts";
import { pause } from "../../shared/wait.ts";
import { discard, type StreamedAnswer, type StreamedRequest } from "../../shared/pool/exchange/streamed.ts";
import { ruleFor } from "../../shared/contract/status_contract.ts";
import { refusal, responseOf } from "./responses.ts";
import { CallBody } from "./request_body.ts";
import type { Line } from "./wait_queue.ts";

/** Tries without a pause: by then the pool has ejected whoever refuses. */
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
  readonly body: Uint8Array | CallBody | null;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** By `performance.now()`. */
  readonly arrivedMs: number;
}

/** An answer, and how it came about. */
export interface PassedOn {
  readonly response: Response;
  readonly tries: number;
  /** From the arrival until the last try began, in ms. */
  readonly waitedMs: number;
  readonly replica: string | undefined;
  /** The permit is back. */
  readonly ended: Promise<void>;
}

/**
 * Sends a call. A replica that is full, draining or away did nothing with it, so the next one gets it from its
 * beginning, as long as that is still here.
 *
 * @param more header fields for the answer.
 * @throws {AttemptAbandoned} (attempt.ts) when the caller's signal fired, or with the body's error as its cause.
 */
export async function passOn(
  pool: StreamingPool,
  line: Line,
  call: Call,
  more: Readonly<Record<string, string>>,
): Promise<PassedOn> {
  for (let tries = 1;; tries++) {
    if (tries > TRIES_AT_ONCE) await pause(PAUSE_MS, call.signal);
    const arrival = { arrivedMs: call.arrivedMs, signal: call.signal, again: tries > 1 };
    const turn = await line.join(arrival, performance.now(), () => {
      const sending = pool.stream(requestOf(call));
      sending.then(({ ended }) => ended, () => {}).then(() => line.advance());
      return { sending, waitedMs: performance.now() - call.arrivedMs };
    });
    if (turn.kind !== "started") {
      const response = refusal(turn.kind, pool.providerRestUntilMs - Date.now(), more);
      const waitedMs = performance.now() - call.arrivedMs;
      return { response, tries: tries - 1, waitedMs, replica: undefined, ended: Promise.resolve() };
    }
    const answer = await turn.value.sending;
    if (mayGoElsewhere(answer.outcome, call, tries)) {
      await discard(answer);
      continue;
    }
    const { replica, ended } = answer;
    return {
      response: responseOf(answer, call.method, more),
      tries,
      waitedMs: turn.value.waitedMs,
      replica,
      ended,
    };
  }
}

function requestOf({ method, path, headers, body, timeoutMs, signal }: Call): StreamedRequest {
  const sent = body instanceof CallBody ? (unread: AbortSignal) => body.read(unread) : body;
  return { method, path, headers, body: sent, timeoutMs, signal };
}

function mayGoElsewhere(outcome: Outcome, { body, method }: Call, tries: number): boolean {
  if (body instanceof CallBody && !body.whole) return false;
  switch (outcome.kind) {
    case "answer":
      return ruleFor(outcome).slows === "replica";
    case "refused":
      return true;
    case "timeout":
      return false;
    case "reset":
      // Asking twice is harmless (RFC 9110 section 9.2.2); what breaks one replica shall not break them all.
      return tries === 1 && ["GET", "HEAD", "OPTIONS"].includes(method);
    default:
      return outcome satisfies never;
  }
}
