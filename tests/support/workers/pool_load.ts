// Load on a pool as the consumer puts it there: never more in flight than there are permits, retried until it settles.

import type { Outcome } from "../../../shared/contract/outcome.ts";
import { outcomeLabel } from "../../../shared/contract/outcome.ts";
import type { Pool } from "../../../shared/pool/pool.ts";
import { ruleFor } from "../../../shared/contract/status_contract.ts";

/** What came of it. */
export interface LoadReport {
  readonly posts: number;
  readonly outcomes: ReadonlyMap<string, number>;
  /** The most that were in flight over the permits there were when the last of them left; 0 or less is right. */
  readonly overMost: number;
}

const ATTEMPT = { headers: { "content-type": "application/json" }, body: new TextEncoder().encode("{}") };

/** Has `count` records settled. `timeoutMs` is each attempt's. */
export function settle(pool: Pool, count: number, timeoutMs = 2000): Promise<LoadReport> {
  const { promise, resolve, reject } = Promise.withResolvers<LoadReport>();
  const outcomes = new Map<string, number>();
  let [waiting, settled, posts, overMost] = [count, 0, 0, -Infinity];
  const sendOne = async () => {
    waiting -= 1;
    posts += 1;
    const sending = pool.send({ ...ATTEMPT, timeoutMs });
    overMost = Math.max(overMost, pool.inFlight - pool.permits);
    const { outcome } = await sending;
    outcomes.set(outcomeLabel(outcome), (outcomes.get(outcomeLabel(outcome)) ?? 0) + 1);
    if (isSettled(outcome)) settled += 1;
    else waiting += 1;
    if (settled === count) resolve({ posts, outcomes, overMost });
    else sendAll();
  };
  const sendAll = () => {
    while (waiting > 0 && pool.inFlight < pool.permits) sendOne().catch(reject);
  };
  pool.onChange(sendAll);
  sendAll();
  return promise;
}

function isSettled(outcome: Outcome): boolean {
  return ruleFor(outcome).disposition === "settle";
}
