// A labeller that asks a running worker: `POST /classify` without `ticket_id`, so that nothing is written.

import { z } from "zod";
import { CLASSIFY_PATH, ResponseHeader } from "../../../shared/contract/protocol.ts";
import { parseRetryAfter } from "../../../shared/contract/retry_after.ts";
import type { LabelAttempt, Labeller } from "./labeller.ts";

const answerSchema = z.object({
  category: z.string(),
  confidence: z.number().nullish(),
  tokens: z.object({ input: z.number(), output: z.number() }).nullish(),
  cost_usd: z.number().nullish(),
});

/** Statuses after which the same request may well succeed. */
const COME_BACK = new Set([409, 425, 429, 503]);
const WAIT_DEFAULT_MS = 1_000;

/** A labeller that asks the worker (or ingress) at this base URL. */
export function workerLabeller(url: string, token: string | undefined, nowMs: () => number): Labeller {
  const address = `${url.replace(/\/+$/, "")}${CLASSIFY_PATH}`;
  const headers = {
    "content-type": "application/json",
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
  return {
    close: () => Promise.resolve(),
    label: async ({ subject, body }, signal) => {
      try {
        const request = { method: "POST", headers, body: JSON.stringify({ subject, body }), signal };
        return await attemptOf(await fetch(address, request), nowMs());
      } catch (error) {
        return { kind: "failed", reason: error instanceof TypeError ? "unreachable" : "no answer" };
      }
    },
  };
}

async function attemptOf(response: Response, nowMs: number): Promise<LabelAttempt> {
  if (COME_BACK.has(response.status)) {
    await response.body?.cancel();
    const waitMs = parseRetryAfter(response.headers.get(ResponseHeader.retryAfter), nowMs) ?? WAIT_DEFAULT_MS;
    return { kind: "wait", waitMs, reason: `status ${response.status}` };
  }
  const read = answerSchema.safeParse(await response.json().catch(() => undefined));
  if (!response.ok || !read.success) return { kind: "failed", reason: `status ${response.status}` };
  const { category, confidence = null, tokens, cost_usd: costUsd = null } = read.data;
  return {
    kind: "labelled",
    category,
    confidence,
    inputTokens: tokens?.input ?? 0,
    outputTokens: tokens?.output ?? 0,
    costUsd,
  };
}
