// The pool: replicas found by name, permits, one attempt at a time to each of them. The consumer and the ingress use it.

import type { Agent } from "undici";
import type { Cause } from "../http/health.ts";
import { logger } from "../log.ts";
import { type Outcome, outcomeLabel } from "../contract/outcome.ts";
import { type Answered, type AttemptRequest, createAgent, send } from "./exchange/buffered.ts";
import { type Also, Balancer, type Sent } from "./replicas/balancer.ts";
import { Checks } from "./replicas/health_checks.ts";
import { Deadlines } from "./exchange/timer_wheel.ts";
import { Hedger, type Started } from "./exchange/hedge.ts";
import { LookUps } from "./discovery/lookup_loop.ts";
import { type DnsServer, type LookUp, namesFrom } from "./discovery/dns.ts";
import { poolCauses, type PoolState } from "./causes.ts";
import { readRateReport } from "./limits/rate_limit_headers.ts";
import type { Replica } from "./replicas/replica.ts";
import type { Endpoint } from "./discovery/endpoints.ts";
import { NOBODY, type StreamedAnswer, type StreamedRequest, streamTo } from "./exchange/streamed.ts";

const log = logger("pool");

/** A rest that begins so soon after the last one is the same, in ms. */
const REST_GOES_ON_MS = 1000;
/** Rests are told of no more often, in ms. */
const REST_TOLD_EVERY_MS = 10_000;

type Timer = ReturnType<typeof setTimeout>;

/** What a pool is made of. */
export interface PoolConfig {
  /** `WORKER_URL`: base URLs. */
  readonly urls: readonly URL[];
  /** Most attempts at once, a replica. */
  readonly concurrency: number;
  /** Bearer token, where workers ask for one. */
  readonly token: string | undefined;
  readonly connectTimeoutMs: number;
  /** Time limit for an answer's first byte, in ms; undefined leaves it to the attempt's own. */
  readonly firstByteMs?: number | undefined;
  /** A keyed attempt without an answer after so long gets a second one at another replica, in ms; undefined: never. */
  readonly hedgeMs?: number | undefined;
  /** Longest `Retry-After` that is honoured, in ms. */
  readonly retryAfterMaxMs?: number | undefined;
  readonly random?: () => number;
  /** Asked for names; absent asks the system. */
  readonly dnsServer?: DnsServer | undefined;
  /** Looks addresses up instead of either. */
  readonly lookUp?: LookUp;
}

/** Sends attempts to replicas. `start()` before, `close()` after use. */
export class Pool {
  readonly #config: PoolConfig;
  readonly #agent: Agent;
  readonly #balancer: Balancer;
  readonly #deadlines = new Deadlines();
  readonly #lookUps: LookUps;
  readonly #listeners: Set<() => void> = new Set();
  readonly #checks: Checks;
  readonly #hedger: Hedger;
  #endpoints: ReadonlyMap<string, Endpoint> = new Map();
  #restTimer: Timer | undefined;
  #restUntilMs: number | undefined;
  #permits = -1;
  #emptySinceMs: number | undefined;
  #rest: PoolState["rest"];
  #restToldMs = -Infinity;
  #closed = false;

  constructor(config: PoolConfig) {
    this.#config = config;
    this.#agent = createAgent(config.connectTimeoutMs);
    const { retryAfterMaxMs } = config;
    const rules = retryAfterMaxMs === undefined ? undefined : { retryAfterMaxMs };
    this.#balancer = new Balancer(config.concurrency, config.random ?? Math.random, rules);
    const names = namesFrom(config.dnsServer);
    this.#lookUps = new LookUps({
      urls: config.urls,
      names: config.lookUp === undefined ? names : { ...names, addresses: config.lookUp },
      onFound: (endpoints) => this.#lookedUp(endpoints),
      usable: () => this.#replicaPermits > 0,
    });
    this.#checks = new Checks({
      agent: this.#agent,
      replicas: () => this.replicas,
      endpointOf: ({ address }) => this.#endpoints.get(address),
      changed: () => this.#changed(),
    });
    this.#hedger = new Hedger({
      hedgeMs: config.hedgeMs,
      permits: () => this.permits,
      beginElsewhere: (but, attempt) => this.#beginElsewhere(but, attempt),
      changed: () => this.#changed(),
    });
  }

  /** How many attempts may be in flight at once now. */
  get permits(): number {
    // Second attempts hold permits that their callers do not know of.
    return Math.max(0, this.#balancer.permits(Date.now()) - this.#hedger.inFlight);
  }

  /** Attempts on their way. */
  get inFlight(): number {
    return this.#balancer.inFlight;
  }

  /** The replicas, for metrics. */
  get replicas(): readonly Replica[] {
    return this.#balancer.replicas;
  }

  /** Until when the provider behind all replicas asked to be left alone, in ms; in the past where it did not. */
  get providerRestUntilMs(): number {
    return this.#balancer.provider.restUntilMs;
  }

  /** What is known of the provider behind all replicas, for metrics. */
  get provider(): Pick<Balancer["provider"], "limit" | "ratePerSecond" | "restUntilMs"> {
    return this.#balancer.provider;
  }

  /** Second attempts for stragglers since the start, and those that were quicker. */
  get hedges(): { readonly sent: number; readonly won: number } {
    return this.#hedger.counts;
  }

  /** Why nothing can be sent, as far as the pool knows. */
  causes(): readonly Cause[] {
    return poolCauses({
      replicas: this.replicas,
      hosts: this.#config.urls.map((url) => url.host),
      emptySinceMs: this.#emptySinceMs,
      rest: this.#rest,
      nowMs: Date.now(),
    });
  }

  /** Calls back whenever {@link permits} has changed. */
  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /** Looks the replicas up for the first time and keeps looking. */
  async start(): Promise<void> {
    await this.#lookUps.start();
    this.#checks.start();
  }

  /** Whether a replica would take an attempt now. */
  hasFree(): boolean {
    return this.inFlight < this.permits;
  }

  /**
   * Sends one attempt to a free replica, or to the least busy one where none is free.
   *
   * @throws {AttemptAbandoned} (attempt.ts) when the caller's signal fired.
   */
  async send(attempt: AttemptRequest): Promise<Answered> {
    const replica = this.#balancer.pick(Date.now()) ?? this.#balancer.leastBusy();
    const endpoint = replica && this.#endpoints.get(replica.address);
    if (replica === undefined || endpoint === undefined) {
      return { outcome: { kind: "refused", detail: "no replica" }, headers: {}, body: new Uint8Array() };
    }
    if (!this.#hedger.takes(attempt)) return await this.#attempt(replica, endpoint, attempt);
    return await this.#hedger.watch(this.#start(replica, endpoint, attempt), replica, attempt);
  }

  /** An attempt that can be given up. */
  #start(replica: Replica, endpoint: Endpoint, attempt: AttemptRequest): Started {
    const given = new AbortController();
    const signal = attempt.signal === undefined
      ? given.signal
      : AbortSignal.any([attempt.signal, given.signal]);
    return {
      answered: this.#attempt(replica, endpoint, { ...attempt, signal }),
      abandon: () => given.abort(),
    };
  }

  /** Never in the place of a record that waits: only where a permit is free. */
  #beginElsewhere(but: Replica, attempt: AttemptRequest): Started | undefined {
    const nowMs = Date.now();
    const replica = this.#balancer.pick(nowMs, but);
    const endpoint = replica && this.#endpoints.get(replica.address);
    if (replica === undefined || endpoint === undefined) return undefined;
    if (this.#balancer.inFlight >= this.#balancer.permits(nowMs)) return undefined;
    log.debug("hedged", { slow: but.address, replica: replica.address });
    return this.#start(replica, endpoint, attempt);
  }

  async #attempt(replica: Replica, endpoint: Endpoint, attempt: AttemptRequest): Promise<Answered> {
    const sent = this.#take(replica);
    try {
      const answered = await send(this.#agent, endpoint, this.#prepared(attempt), this.#deadlines);
      this.#finished(sent, answered.outcome, { report: readRateReport(answered.headers) });
      return answered;
    } catch (error) {
      this.#abandoned(sent);
      throw error;
    }
  }

  /**
   * Like {@link send}, for callers who stream: the permit is held until the answer has come to its end.
   *
   * @throws {AttemptAbandoned} (attempt.ts) when the caller's signal fired or its body threw.
   */
  async stream(request: StreamedRequest): Promise<StreamedAnswer> {
    const replica = this.#balancer.pick(Date.now()) ?? this.#balancer.leastBusy();
    const endpoint = replica && this.#endpoints.get(replica.address);
    if (replica === undefined || endpoint === undefined) return NOBODY;
    const sent = this.#take(replica);
    const streaming = streamTo(this.#agent, endpoint, request, this.#deadlines);
    const ended = streaming.ended.then((end) => {
      if (end !== undefined) {
        const { outcome, latencyMs, headers } = end;
        return this.#finished(sent, outcome, { latencyMs, report: readRateReport(headers) });
      }
      this.#abandoned(sent);
    });
    return { ...await streaming.answer, replica: replica.address, ended };
  }

  /** Whether the replicas say they are ready: one that answers anything but a 5xx is enough. */
  async checkReady(): Promise<boolean> {
    const answers = await Promise.all(
      [...this.#endpoints.values()].map((endpoint) => this.#checks.ask(endpoint)),
    );
    return answers.includes("ready");
  }

  /** Ends all connections. Attempts in flight come back as outcomes. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#deadlines.close();
    this.#lookUps.close();
    clearTimeout(this.#restTimer);
    this.#checks.close();
    await this.#agent.destroy();
  }

  #prepared(attempt: AttemptRequest): AttemptRequest {
    const { token, firstByteMs } = this.#config;
    if (token === undefined && firstByteMs === undefined) return attempt;
    const proof = token === undefined ? {} : { authorization: `Bearer ${token}` };
    return { ...attempt, firstByteMs, headers: { ...attempt.headers, ...proof } };
  }

  /** An attempt may use the provider's rate up; then the next one is not to wait for an answer, but for time alone. */
  #take(replica: Replica): Sent {
    const nowMs = Date.now();
    const sent = this.#balancer.start(replica, nowMs);
    this.#scheduleRest(nowMs);
    return sent;
  }

  #finished(sent: Sent, outcome: Outcome, also: Also): void {
    const { replica } = sent;
    const before = { ejected: replica.ejected, draining: replica.draining };
    this.#balancer.recordFinished(sent, outcome, Date.now(), also);
    const about = { replica: replica.address, last: outcomeLabel(outcome) };
    if (replica.ejected && !before.ejected) log.warn("replica ejected", { ...about, why: replica.ejection });
    if (replica.draining && !before.draining) log.info("replica drains", about);
    if (replica.ejected || replica.draining) this.#checks.watch();
    this.#changed();
  }

  #abandoned(sent: Sent): void {
    this.#balancer.recordAbandoned(sent);
    this.#changed();
  }

  get #replicaPermits(): number {
    return this.#balancer.replicaPermits(Date.now());
  }

  #changed(): void {
    const nowMs = Date.now();
    const { permits } = this;
    this.#scheduleRest(nowMs);
    this.#tellRest(nowMs);
    this.#noticeEmpty(nowMs);
    if (permits === this.#permits) return;
    this.#permits = permits;
    for (const listener of this.#listeners) listener();
  }

  /** A provider that lets nobody through for a while is no lack of replicas, and hides none. */
  #noticeEmpty(nowMs: number): void {
    const empty = this.#replicaPermits === 0;
    if (empty === (this.#emptySinceMs !== undefined)) return;
    this.#emptySinceMs = empty ? nowMs : undefined;
    if (empty) this.#lookUps.hurry();
  }

  /** The provider lets nobody through for a while. One that does so every second is told of every ten. */
  #tellRest(nowMs: number): void {
    const { restUntilMs, ratePerSecond } = this.provider;
    if (restUntilMs <= nowMs || restUntilMs === this.#rest?.untilMs) return;
    const last = this.#rest;
    const goesOn = last !== undefined && nowMs <= last.untilMs + REST_GOES_ON_MS;
    this.#rest = { sinceMs: goesOn ? last.sinceMs : nowMs, untilMs: restUntilMs };
    if (nowMs - this.#restToldMs < REST_TOLD_EVERY_MS) return;
    this.#restToldMs = nowMs;
    log.info("provider limits us, nothing leaves", { ms: Math.round(restUntilMs - nowMs), ratePerSecond });
  }

  #scheduleRest(nowMs: number): void {
    const nextMs = this.#balancer.nextChangeMs(nowMs);
    if (nextMs === this.#restUntilMs) return;
    this.#restUntilMs = nextMs;
    clearTimeout(this.#restTimer);
    if (nextMs !== undefined && !this.#closed) {
      this.#restTimer = setTimeout(() => this.#rested(), Math.max(1, nextMs - nowMs));
    }
  }

  #rested(): void {
    // A timer may be a little early; then there is still a rest to wait for.
    this.#restUntilMs = undefined;
    this.#changed();
  }

  #lookedUp(found: readonly Endpoint[]): void {
    const addresses = found.map(({ address }) => address);
    const known = new Set(this.replicas.map(({ address }) => address));
    for (const address of addresses) {
      if (!known.has(address)) log.info("replica joined", { replica: address });
    }
    this.#endpoints = new Map(found.map((endpoint) => [endpoint.address, endpoint]));
    this.#balancer.setAddresses(addresses, Date.now());
    this.#checks.watch();
    this.#changed();
  }
}
