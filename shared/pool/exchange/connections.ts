// The connections to replicas: kept alive and used again, except where a replica resets those that are.

import { Agent, type Dispatcher } from "undici";
import { logger } from "../../log.ts";
import { listenForReuse, type ReuseListener } from "./undici_patches.ts";

const log = logger("pool");

/** How long connections to a replica are used once only after it reset one that was reused, in ms: doubled each time. */
const ONCE_FIRST_MS = 60_000;
const ONCE_MAX_MS = 3_600_000;
/** A reset so soon after the request went out is about the connection, in ms; later ones are about the work. */
const RACE_MS = 1000;
/** Headers of an answer are read up to so many bytes. */
const HEADER_BYTES_MAX = 262_144;

/** A request. */
export type RequestOptions = Dispatcher.DispatchOptions & { readonly origin: string };

/** One that listens to the whole answer. */
export type ExchangeHandler =
  & Dispatcher.DispatchHandler
  & Required<Pick<Dispatcher.DispatchHandler, "onResponseStart" | "onResponseData" | "onResponseEnd">>;

/** Where connections are used once only. */
interface Once {
  readonly untilMs: number;
  readonly forMs: number;
}

/** Connections to all replicas. */
export class Connections {
  readonly #kept: Agent;
  readonly #single: Agent;
  readonly #once: Map<string, Once> = new Map();

  constructor(connectTimeoutMs: number) {
    const options = {
      connect: { timeout: connectTimeoutMs },
      maxHeaderSize: HEADER_BYTES_MAX,
      // The attempt's own time limit is the only one.
      headersTimeout: 0,
      bodyTimeout: 0,
    };
    this.#kept = new Agent({ ...options, pipelining: 1, keepAliveTimeout: 30_000 });
    // No pipelining at all is undici's word for a connection a request.
    this.#single = new Agent({ ...options, pipelining: 0 });
  }

  /** A connection for each request: for those that are few. */
  get single(): Agent {
    return this.#single;
  }

  /**
   * Sends a request. Where a reused connection is reset before the answer began, the replica had closed it at that
   * moment: a request that may be sent twice goes out once more at once, over a fresh connection.
   *
   * @param repeatable the request may be sent twice; its body is no stream.
   */
  dispatch(request: RequestOptions, handler: ExchangeHandler, repeatable: boolean): void {
    if (this.#usedOnce(request.origin)) this.#single.dispatch(request, handler);
    else {this.#kept.dispatch(
        request,
        new Reuse(handler, () => this.#afterReset(request, handler, repeatable)),
      );}
  }

  /** Ends all of them. */
  async close(): Promise<void> {
    await Promise.all([this.#kept.destroy(), this.#single.destroy()]);
  }

  #usedOnce(origin: string): boolean {
    const once = this.#once.get(origin);
    return once !== undefined && performance.now() < once.untilMs;
  }

  /** Says whether the request is on its way again. */
  #afterReset(request: RequestOptions, handler: ExchangeHandler, repeatable: boolean): boolean {
    const { origin } = request;
    // Others on their way may meet the same reset: that is one reason, not several.
    if (!this.#usedOnce(origin)) {
      const last = this.#once.get(origin);
      const again = last !== undefined && performance.now() < last.untilMs + last.forMs;
      const forMs = again ? Math.min(ONCE_MAX_MS, last.forMs * 2) : ONCE_FIRST_MS;
      this.#once.set(origin, { untilMs: performance.now() + forMs, forMs });
      log.info("replica resets reused connections, each is used once for a while", {
        replica: origin,
        ms: forMs,
      });
    }
    if (repeatable) this.#single.dispatch(request, handler);
    return repeatable;
  }
}

const RESET = new Set(["ECONNRESET", "EPIPE", "ECONNABORTED", "UND_ERR_SOCKET"]);

/** Hands an exchange on as undici tells of it, answers without a detour, but for the reset of a reused connection before the answer's first byte. */
class Reuse implements Dispatcher.DispatchHandler, ReuseListener {
  readonly onResponseStart: ExchangeHandler["onResponseStart"];
  readonly onResponseData: ExchangeHandler["onResponseData"];
  readonly onResponseEnd: ExchangeHandler["onResponseEnd"];
  readonly #handler: ExchangeHandler;
  readonly #afterReset: () => boolean;
  #reused = false;
  #begun = false;
  #startedMs = 0;

  constructor(handler: ExchangeHandler, afterReset: () => boolean) {
    this.#handler = handler;
    this.#afterReset = afterReset;
    this.onResponseStart = handler.onResponseStart.bind(handler);
    this.onResponseData = handler.onResponseData.bind(handler);
    this.onResponseEnd = handler.onResponseEnd.bind(handler);
  }

  onConnection(reused: boolean): void {
    this.#reused = reused;
  }

  onRequestStart(controller: Dispatcher.DispatchController, context: unknown): void {
    this.#handler.onRequestStart?.(controller, context);
    if (controller.aborted) return;
    this.#startedMs = performance.now();
    listenForReuse(this);
  }

  /** The first byte of the answer. */
  onResponseStarted(): void {
    this.#begun = true;
  }

  onResponseError(controller: Dispatcher.DispatchController, error: Error & { code?: string }): void {
    if (!this.#isRace(error) || !this.#afterReset()) this.#handler.onResponseError?.(controller, error);
  }

  #isRace({ code = "" }: { readonly code?: string }): boolean {
    return this.#reused && !this.#begun && RESET.has(code) && performance.now() - this.#startedMs < RACE_MS;
  }
}
