// Access log: one line and the metrics of each call, whatever became of it. Never its text or query.

import { logger } from "../../shared/log.ts";
import type { IngressMetrics } from "./metrics.ts";

const log = logger("ingress");

/** How much of a path is logged, in characters. */
const PATH_CHARS_MAX = 100;

/** How a call that went to a replica got there. */
export interface Forwarding {
  /** Requests sent for it. */
  readonly tries: number;
  /** From its arrival until the last of them began, in ms. */
  readonly waitedMs: number;
  readonly replica: string | undefined;
}

/** Records the end of one call; to be called once. */
export type LogCall = (status: number, forwarding?: Forwarding) => void;

/** @param arrivedMs by `performance.now()`. */
export function accessLogger(
  metrics: IngressMetrics,
  { method, url }: Request,
  client: string,
  arrivedMs: number,
): LogCall {
  return (status, forwarding) => {
    const ms = performance.now() - arrivedMs;
    metrics.calls.inc({ status: String(status) });
    metrics.callSeconds.observe(ms / 1000);
    if (forwarding !== undefined) {
      metrics.tries.inc(forwarding.tries);
      metrics.waitSeconds.observe(forwarding.waitedMs / 1000);
    }
    log.info("call", {
      method,
      path: new URL(url).pathname.slice(0, PATH_CHARS_MAX),
      status,
      ms: Math.round(ms),
      client,
      ...(forwarding === undefined ? {} : {
        tries: forwarding.tries,
        waited_ms: Math.round(forwarding.waitedMs),
        replica: forwarding.replica,
      }),
    });
  };
}

/** A bug: the log says everything, the caller is told nothing. */
export function logCrash(error: unknown): void {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  log.error("crashed", { error: name, detail: message, stack });
}
