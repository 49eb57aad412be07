// What is told of a call: one line in the log and its figures, whatever became of it. Never its text or query.

import { logger } from "../../shared/log.ts";
import type { IngressMetrics } from "./metrics.ts";

const log = logger("ingress");

/** How much of a path is logged, in characters. */
const PATH_CHARS_MAX = 100;

/** How a call that went to a replica got there. */
export interface Way {
  /** Requests sent for it. */
  readonly tries: number;
  /** From its arrival until the last of them began, in ms. */
  readonly waitedMs: number;
  readonly replica: string | undefined;
}

/** Tells the end of one call; to be called once. */
export type Tell = (status: number, way?: Way) => void;

/** @param arrivedMs by `performance.now()`. */
export function teller(
  metrics: IngressMetrics,
  { method, url }: Request,
  client: string,
  arrivedMs: number,
): Tell {
  return (status, way) => {
    const ms = performance.now() - arrivedMs;
    metrics.calls.inc({ status: String(status) });
    metrics.callSeconds.observe(ms / 1000);
    if (way !== undefined) {
      metrics.tries.inc(way.tries);
      metrics.waitSeconds.observe(way.waitedMs / 1000);
    }
    log.info("call", {
      method,
      path: new URL(url).pathname.slice(0, PATH_CHARS_MAX),
      status,
      ms: Math.round(ms),
      client,
      ...(way === undefined
        ? {}
        : { tries: way.tries, waited_ms: Math.round(way.waitedMs), replica: way.replica }),
    });
  };
}

/** A bug: the caller is told nothing of it, the log all. */
export function tellCrash(error: unknown): void {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  log.error("crashed", { error: name, detail: message, stack });
}
