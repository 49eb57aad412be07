// Patches kafkajs's request queue: no timer while nothing waits, and time limits by a clock that nobody sets.

import RequestQueue from "kafkajs/src/network/requestQueue/index.js";
import SocketRequest from "kafkajs/src/network/requestQueue/socketRequest.js";

/** What is touched of a request. */
interface Request {
  /** In ms. */
  readonly requestTimeout: number;
  send(): void;
  timeoutRequest(): void;
}

/** What is touched of kafkajs's request queue. */
interface Queue {
  readonly pending: readonly unknown[];
  readonly inflight: ReadonlyMap<number, Request>;
  readonly maxInFlightRequests: number | null | undefined;
  readonly enforceRequestTimeout: boolean;
  readonly requestTimeout: number;
  readonly isConnected: () => boolean;
  /** In ms of the monotonic clock here. */
  throttledUntil: number;
  requestTimeoutIntervalId: ReturnType<typeof setInterval> | undefined;
  throttleCheckTimeoutId: ReturnType<typeof setTimeout> | null;
  destroy(): void;
  checkPendingRequests(): void;
  maybeThrottle(ms: number | null): void;
  canSendSocketRequestImmediately(): boolean;
  scheduleRequestTimeoutCheck(): void;
  scheduleCheckPendingRequests(): void;
}

/** How often it is looked for requests whose time is up, at most, in ms. */
const LOOK_EVERY_MS = 100;
/** When requests that wait for others are looked at again, in ms. */
const PENDING_EVERY_MS = 10;

/** When a request was sent, in ms of the monotonic clock. */
const sentMs: WeakMap<Request, number> = new WeakMap();
let patched = false;

/**
 * kafkajs 2.2.4 sets a timer for the requests that wait, also where none waits: then for a time in the past, which the
 * runtime takes for 1 ms and warns about, and again from that timer, for ever and for every connection. An idle
 * consumer spent 3% of a core on it. A request that has to wait sets the timer itself when it comes, so without one
 * there is nothing to set it for.
 *
 * Its time limits go by the wall clock: set back ten minutes, a request that is never answered is waited for ten
 * minutes longer, and a broker that asks for a second's patience gets ten minutes of it; set forward, all requests in
 * flight fail at once.
 */
export function patchRequestQueue(): void {
  if (patched) return;
  patched = true;
  patchSending((SocketRequest as { readonly prototype: Request }).prototype);
  const queue = (RequestQueue as { readonly prototype: Queue }).prototype;
  patchTimeouts(queue);
  patchThrottling(queue);
}

function patchSending(request: Request): void {
  const { send } = request;
  request.send = function (this: Request): void {
    sentMs.set(this, performance.now());
    send.call(this);
  };
}

function patchTimeouts(queue: Queue): void {
  queue.scheduleRequestTimeoutCheck = function (this: Queue): void {
    if (!this.enforceRequestTimeout) return;
    this.destroy();
    this.requestTimeoutIntervalId = setInterval(() => {
      const nowMs = performance.now();
      for (const request of [...this.inflight.values()]) {
        if (nowMs - (sentMs.get(request) ?? nowMs) > request.requestTimeout) request.timeoutRequest();
      }
      if (!this.isConnected()) this.destroy();
    }, Math.min(this.requestTimeout, LOOK_EVERY_MS));
  };
}

function patchThrottling(queue: Queue): void {
  queue.maybeThrottle = function (this: Queue, ms: number | null): void {
    if (ms !== null && ms > 0) this.throttledUntil = Math.max(this.throttledUntil, performance.now() + ms);
  };

  queue.canSendSocketRequestImmediately = function (this: Queue): boolean {
    const { maxInFlightRequests: max, inflight, throttledUntil } = this;
    return inflight.size < (max ?? Infinity) && throttledUntil <= performance.now();
  };

  queue.scheduleCheckPendingRequests = function (this: Queue): void {
    if (this.pending.length === 0 || this.throttleCheckTimeoutId !== null) return;
    const waitMs = this.throttledUntil - performance.now();
    this.throttleCheckTimeoutId = setTimeout(() => {
      this.throttleCheckTimeoutId = null;
      this.checkPendingRequests();
    }, waitMs > 0 ? waitMs : PENDING_EVERY_MS);
  };
}
