// A pool before a simulated provider, with a backlog that never ends: what is settled, how long it takes, what is refused.

import type { Outcome } from "../../../shared/contract/outcome.ts";
import type { AttemptInFlight } from "../../../shared/pool/attempt_in_flight.ts";
import { Balancer } from "../../../shared/pool/replicas/balancer.ts";
import { ruleFor } from "../../../shared/contract/status_contract.ts";
import { DueQueue } from "../../../consumer/core/structures/due_queue.ts";
import { stream } from "../../simulation/random.ts";
import type { Provider, ProviderAnswer } from "./providers.ts";

/** Who says how many are in flight. */
export interface Policy {
  /** How many may be in flight at once now. */
  permits(nowMs: number): number;
  /** An attempt leaves; what is returned comes back with its end. */
  start(nowMs: number, key: string): AttemptInFlight | undefined;
  finished(sent: AttemptInFlight | undefined, answer: ProviderAnswer, nowMs: number): void;
  /** When permits may change by time alone. */
  nextChangeMs(nowMs: number): number | undefined;
}

/** Always the same number. */
export function fixed(limit: number): Policy {
  return { permits: () => limit, start: () => undefined, finished() {}, nextChangeMs: () => undefined };
}

/** The balancer of production, without any hint. */
export function adaptive(
  replicas: number,
  concurrency: number,
  seed: number,
): Policy & { readonly balancer: Balancer } {
  const balancer = new Balancer(concurrency, stream(seed));
  balancer.setAddresses(Array.from({ length: replicas }, (_, index) => `http://${index}`), 0);
  return {
    balancer,
    permits: (nowMs) => balancer.permits(nowMs),
    nextChangeMs: (nowMs) => balancer.nextChangeMs(nowMs),
    start(nowMs, key) {
      const replica = balancer.pick(nowMs);
      return replica && balancer.start(replica, nowMs, key);
    },
    finished(sent, { outcome, report }, nowMs) {
      if (sent !== undefined) balancer.recordFinished(sent, outcome, nowMs, { report });
    },
  };
}

/** A change of the provider at a time. */
export interface Change {
  readonly atMs: number;
  readonly share: number;
}

/** What is driven, and for how long. */
export interface Drive {
  readonly provider: Provider;
  readonly policy: Policy;
  readonly forMs: number;
  /** What was settled before does not count. */
  readonly warmUpMs?: number;
  readonly changes?: readonly Change[];
  /** Records that are answered 429 at once, whatever the provider has left: their tenant's quota is used up. */
  readonly refusedForItself?: (number: number) => boolean;
  /** The `Retry-After` of those, in ms. */
  readonly ownRetryAfterMs?: number;
}

/** What came of it. */
export interface Driven {
  /** Settled a second. */
  readonly goodput: number;
  /** From a record's first attempt until it was settled, in ms. */
  readonly p50Ms: number;
  readonly p95Ms: number;
  /** 429s a second. */
  readonly refusals: number;
  /** Settled in each second from the beginning. */
  readonly perSecond: readonly number[];
  /** Mean of the attempts in flight. */
  readonly inFlight: number;
}

interface Waiting {
  /** The first record is 1. */
  readonly number: number;
  refusals: number;
  readonly firstMs: number;
}

/** Plays it. */
export function drive(
  {
    provider,
    policy,
    forMs,
    warmUpMs = 0,
    changes = [],
    refusedForItself = () => false,
    ownRetryAfterMs = 1000,
  }: Drive,
): Driven {
  /** A quota's refusal. */
  const own: ProviderAnswer = { outcome: { kind: "answer", status: 429, retryAfterMs: ownRetryAfterMs } };
  const waiting = new DueQueue<Waiting>();
  const tookMs: number[] = [];
  const perSecond: number[] = Array.from({ length: Math.ceil(forMs / 1000) }, () => 0);
  const left = [...changes];
  const refusedAt = new DueQueue<() => void>();
  let [nowMs, records, inFlight, refusals, area] = [0, 0, 0, 0, 0];
  const ended = (record: Waiting, sent: AttemptInFlight | undefined, answer: ProviderAnswer) => {
    inFlight -= 1;
    policy.finished(sent, answer, nowMs);
    if (isSettled(answer.outcome)) {
      if (nowMs >= warmUpMs) tookMs.push(nowMs - record.firstMs);
      perSecond[Math.floor(nowMs / 1000)] = (perSecond[Math.floor(nowMs / 1000)] ?? 0) + 1;
    } else {
      if (nowMs >= warmUpMs) refusals += 1;
      record.refusals += 1;
      waiting.push(nowMs + retryMs(answer.outcome, record.refusals), record);
    }
  };
  const send = () => {
    while (inFlight < policy.permits(nowMs)) {
      const record = waiting.takeDue(nowMs) ?? { number: ++records, refusals: 0, firstMs: nowMs };
      const sent = policy.start(nowMs, String(record.number));
      inFlight += 1;
      const answered = (answer: ProviderAnswer) => ended(record, sent, answer);
      if (refusedForItself(record.number)) refusedAt.push(nowMs + 5, () => answered(own));
      else provider.request(nowMs, answered);
    }
  };
  while (nowMs < forMs) {
    send();
    const change = left[0]?.atMs ?? Infinity;
    const dueMs = refusedAt.nextMs ?? Infinity;
    const thenMs = Math.min(provider.nextMs(), policy.nextChangeMs(nowMs) ?? Infinity, dueMs, change, forMs);
    if (nowMs >= warmUpMs) area += inFlight * (thenMs - nowMs);
    nowMs = Math.max(nowMs, thenMs);
    if (change <= nowMs) provider.setShare(left.shift()?.share ?? 1, nowMs);
    provider.advance(nowMs);
    for (let next = refusedAt.takeDue(nowMs); next !== undefined; next = refusedAt.takeDue(nowMs)) next();
  }
  tookMs.sort((a, b) => a - b);
  const at = (share: number) => Math.round(tookMs[Math.floor(tookMs.length * share)] ?? NaN);
  const seconds = (nowMs - warmUpMs) / 1000;
  return {
    goodput: tookMs.length / seconds,
    p50Ms: at(0.5),
    p95Ms: at(0.95),
    refusals: refusals / seconds,
    perSecond,
    inFlight: area / seconds / 1000,
  };
}

function isSettled(outcome: Outcome): boolean {
  return ruleFor(outcome).disposition === "settle";
}

/** As long as the answer asks, or as a consumer backs off where that is longer. */
function retryMs(outcome: Outcome, refusals: number): number {
  const asked = outcome.kind === "answer" ? Math.max(1, outcome.retryAfterMs ?? 1000) : 1000;
  return Math.max(asked, Math.min(30_000, 100 * 2 ** refusals));
}
