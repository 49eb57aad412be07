// All calls that go through the ingress: let in, lined up, passed on, told, and counted for whoever starts replicas.

import type { Cause } from "../../shared/http/health.ts";
import { AttemptAbandoned } from "../../shared/pool/exchange/buffered.ts";
import { gone } from "./responses.ts";
import { arriving } from "./arriving.ts";
import { BodyTooLargeError, CallBody } from "./request_body.ts";
import type { IngressRules } from "./config.ts";
import { doorway, tooLarge } from "./admission.ts";
import { requestHeaders } from "./headers.ts";
import { Line } from "./wait_queue.ts";
import { createIngressMetrics, type IngressMetrics } from "./metrics.ts";
import { type Call, passOn, type StreamingPool } from "./forward.ts";
import { ingressProblem } from "./problems.ts";
import { type IngressScale, ingressScaleOf } from "./scale.ts";
import { type Tell, tellCrash, teller } from "./access_log.ts";

/** Methods that are passed on. */
export const METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"] as const;

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
export interface CallsDeps extends IngressRules {
  readonly pool: IngressPool;
  readonly draining: () => boolean;
}

/** Every call through the ingress: admitted, queued, forwarded, logged and counted. */
export class Calls {
  readonly metrics: IngressMetrics;
  readonly #deps: CallsDeps;
  readonly #line: Line;
  readonly #admit: ReturnType<typeof doorway>;
  /** When the latest call came or ended, by `performance.now()`. */
  #lastMs: number | undefined;

  constructor(deps: CallsDeps) {
    const { pool } = deps;
    this.#deps = deps;
    // A provider that lets nobody through for a while is no lack of replicas.
    const isEmpty = () => this.#usableReplicas() === 0;
    this.#line = new Line(deps.line, { isFree: () => pool.hasFree(), isEmpty });
    this.#admit = doorway(deps);
    this.metrics = createIngressMetrics({
      waiting: () => this.#line.waiting,
      inFlight: () => pool.inFlight,
      permits: () => pool.permits,
    });
    pool.onChange(() => this.#line.advance());
  }

  /** What autoscalers read. */
  scale(): IngressScale {
    const nowMs = performance.now();
    const [waiting, inFlight, oldestMs] = [this.#line.waiting, this.#deps.pool.inFlight, this.#line.oldestMs];
    const idleMs = this.#lastMs === undefined ? null : Math.round(nowMs - this.#lastMs);
    return ingressScaleOf({
      waiting,
      inFlight,
      oldestWaitMs: oldestMs === undefined ? null : Math.round(nowMs - oldestMs),
      idleMs: waiting + inFlight > 0 ? 0 : idleMs,
      replicas: this.#usableReplicas(),
    }, this.#deps.scaling);
  }

  /** Answers one call. @param peer the address at the other end of the connection. */
  async answer(request: Request, peer: string | undefined): Promise<Response> {
    const arrivedMs = performance.now();
    const { client, more, refusal } = this.#admit({ headers: request.headers, peer, nowMs: arrivedMs });
    const tell = teller(this.metrics, request, client, arrivedMs);
    if (this.#deps.draining()) return refuse(stopping(), tell);
    if (refusal !== undefined) return refuse(refusal, tell);
    this.#lastMs = arrivedMs;
    const arrived = await arriving(request, this.#deps.maxBodyBytes);
    if (arrived.kind !== "body") return refuse(arrived.kind === "cut_off" ? gone() : tooSlow(), tell);
    const call = this.#callOf(request, arrived.body, arrivedMs);
    return await this.#passOn(call, more, tell);
  }

  async #passOn(call: Call, more: Readonly<Record<string, string>>, tell: Tell): Promise<Response> {
    const { pool, maxBodyBytes } = this.#deps;
    const over = () => {
      if (call.body instanceof CallBody) call.body.cancel();
      this.#lastMs = performance.now();
    };
    try {
      const { response, ended, ...way } = await passOn(pool, this.#line, call, more);
      ended.then(() => (over(), tell(response.status, way)));
      return response;
    } catch (error) {
      over();
      if (error instanceof AttemptAbandoned) {
        return refuse(error.cause instanceof BodyTooLargeError ? tooLarge(maxBodyBytes, more) : gone(), tell);
      }
      tellCrash(error);
      return refuse(ingressProblem("internal-error", "The ingress's log says more", more), tell);
    }
  }

  #callOf(request: Request, body: Call["body"], arrivedMs: number): Call {
    const { timeoutMs } = this.#deps;
    const { pathname, search } = new URL(request.url);
    return {
      method: METHODS.find((each) => each === request.method) ?? "GET",
      path: pathname + search,
      headers: requestHeaders(request.headers, { timeoutMs, streamed: body instanceof CallBody }),
      body,
      timeoutMs,
      signal: request.signal,
      arrivedMs,
    };
  }

  #usableReplicas(): number {
    const nowMs = Date.now();
    return this.#deps.pool.replicas.filter((replica) => replica.permits(nowMs) > 0).length;
  }
}

function refuse(response: Response, tell: Tell): Response {
  tell(response.status);
  return response;
}

const tooSlow = () =>
  ingressProblem("body-too-slow", "A body of up to 64 KiB has 10 s to arrive", { connection: "close" });

const stopping = () =>
  ingressProblem("stopping", "Call again, another ingress answers", {
    "retry-after": "1",
    connection: "close",
  });
