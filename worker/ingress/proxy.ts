// Proxy for all calls: admits them, queues them, forwards them, logs them, and counts them for autoscalers.

import { monotonicMs } from "../../shared/clock.ts";
import type { Cause } from "../../shared/http/health.ts";
import { AttemptAbandoned } from "../../shared/pool/exchange/buffered.ts";
import { callerGone } from "./responses.ts";
import { type ReceivedBody, RequestBodies } from "./request_body.ts";
import type { IngressRules } from "./config.ts";
import { admissionCheck, tooLarge } from "./admission/admission.ts";
import { requestHeaders } from "./headers.ts";
import { WaitQueue } from "./wait_queue.ts";
import { createIngressMetrics, type IngressMetrics } from "./metrics.ts";
import { type Call, forward, type StreamingPool } from "./forward.ts";
import { CLOSE, ingressProblem } from "./problems.ts";
import { type IngressScale, ingressScaleOf } from "./scale.ts";
import { accessLogger, type LogCall, logCrash } from "./access_log.ts";

/** Methods that are passed on. */
export const METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"] as const;

type ExtraHeaders = Readonly<Record<string, string>>;

/** The part of the pool that the ingress uses. */
export interface IngressPool extends StreamingPool {
  readonly permits: number;
  readonly inFlight: number;
  readonly replicas: readonly { permits(nowMs: number): number }[];
  hasFree(): boolean;
  causes(): readonly Cause[];
  onChange(listener: () => void): void;
}

/** What calls are held to, and where they go. */
export interface ProxyDeps extends IngressRules {
  readonly pool: IngressPool;
  readonly draining: () => boolean;
}

/** Admits, queues, forwards, logs and counts every call. */
export class IngressProxy {
  readonly metrics: IngressMetrics;
  readonly #deps: ProxyDeps;
  readonly #queue: WaitQueue;
  readonly #bodies: RequestBodies;
  readonly #admit: ReturnType<typeof admissionCheck>;
  /** When the latest call came or ended, by `performance.now()`. */
  #lastMs: number | undefined;

  constructor(deps: ProxyDeps) {
    const { pool } = deps;
    this.#deps = deps;
    // A provider that lets nobody through for a while is no lack of replicas.
    const isEmpty = () => this.#usableReplicas() === 0;
    this.#queue = new WaitQueue(deps.queue, { isFree: () => pool.hasFree(), isEmpty });
    this.#bodies = new RequestBodies(deps.maxBodyBytes);
    this.#admit = admissionCheck(deps);
    this.metrics = createIngressMetrics({
      waiting: () => this.#queue.waiting,
      inFlight: () => pool.inFlight,
      permits: () => pool.permits,
    });
    pool.onChange(() => this.#queue.advance());
  }

  /** What autoscalers read. */
  scale(): IngressScale {
    const nowMs = performance.now();
    const [waiting, inFlight, oldestMs] = [
      this.#queue.waiting,
      this.#deps.pool.inFlight,
      this.#queue.oldestMs,
    ];
    const idleMs = this.#lastMs === undefined ? null : Math.round(nowMs - this.#lastMs);
    return ingressScaleOf({
      waiting,
      inFlight,
      oldestWaitMs: oldestMs === undefined ? null : Math.round(nowMs - oldestMs),
      idleMs: waiting + inFlight > 0 ? 0 : idleMs,
      replicas: this.#usableReplicas(),
    }, this.#deps.scaling);
  }

  /** What is in the way of calls. Replicas at zero are not, while nobody calls. */
  causes(): readonly Cause[] {
    const wanted = this.scale().wantedReplicas > 0;
    return this.#deps.pool.causes().filter(({ name }) => wanted || name !== "no-replica");
  }

  /** Answers one call. @param peer the address at the other end of the connection. */
  async answer(request: Request, peer: string | undefined): Promise<Response> {
    const arrivedMs = performance.now();
    const { client, extraHeaders, refusal } = this.#admit({
      headers: request.headers,
      path: new URL(request.url).pathname,
      peer,
      nowMs: arrivedMs,
    });
    const logCall = accessLogger(this.metrics, request, client, arrivedMs);
    if (this.#deps.draining()) return refuse(stopping(), logCall);
    if (refusal !== undefined) return refuse(refusal, logCall);
    this.#lastMs = arrivedMs;
    const received = await this.#bodies.receive(request);
    if (received.kind !== "body") return refuse(this.#bodyRefusal(received.kind, extraHeaders), logCall);
    const call = this.#callOf(request, received.body, arrivedMs);
    return await this.#forward(call, extraHeaders, logCall);
  }

  async #forward(
    call: Call,
    extraHeaders: ExtraHeaders,
    logCall: LogCall,
  ): Promise<Response> {
    const finish = () => {
      this.#bodies.release(call.body);
      this.#lastMs = performance.now();
    };
    try {
      const { response, ended, ...forwarding } = await forward(
        this.#deps.pool,
        this.#queue,
        call,
        extraHeaders,
      );
      ended.then(() => (finish(), logCall(response.status, forwarding)));
      return response;
    } catch (error) {
      finish();
      if (error instanceof AttemptAbandoned) return refuse(callerGone(), logCall);
      logCrash(error);
      return refuse(ingressProblem("internal-error", "The ingress's log says more", extraHeaders), logCall);
    }
  }

  #callOf(request: Request, body: Call["body"], arrivedMs: number): Call {
    const { timeoutMs } = this.#deps;
    const { pathname, search } = new URL(request.url);
    return {
      method: METHODS.find((each) => each === request.method) ?? "GET",
      path: pathname + search,
      headers: requestHeaders(request.headers, timeoutMs),
      body,
      timeoutMs,
      signal: request.signal,
      arrivedMs,
    };
  }

  #bodyRefusal(kind: Exclude<ReceivedBody["kind"], "body">, extraHeaders: ExtraHeaders): Response {
    switch (kind) {
      case "too_large":
        return tooLarge(this.#deps.maxBodyBytes, extraHeaders);
      case "too_slow":
        return ingressProblem(
          "body-too-slow",
          "It has 10 s to begin, and then has to come at 64 kB/s",
          CLOSE,
        );
      case "no_room":
        return ingressProblem("pool-full", "Too many bodies wait already", { ...CLOSE, "retry-after": "2" });
      case "cut_off":
        return callerGone();
      default:
        return kind satisfies never;
    }
  }

  #usableReplicas(): number {
    const nowMs = monotonicMs();
    return this.#deps.pool.replicas.filter((replica) => replica.permits(nowMs) > 0).length;
  }
}

function refuse(response: Response, logCall: LogCall): Response {
  logCall(response.status);
  return response;
}

const stopping = () =>
  ingressProblem("stopping", "Call again, another ingress answers", {
    "retry-after": "1",
    ...CLOSE,
  });
