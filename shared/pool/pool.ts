// The pool of replicas that the consumer and the ingress send through: found by name, each with permits of its own.

import { BATCH_HEADER } from "../contract/batch_lines.ts";
import { monotonicMs } from "../clock.ts";
import type { Cause } from "../http/health.ts";
import { logger } from "../log.ts";
import { type Outcome, outcomeLabel } from "../contract/outcome.ts";
import { ruleFor } from "../contract/status_contract.ts";
import { RequestHeader } from "../contract/protocol.ts";
import { Batches, type Target } from "./exchange/batches.ts";
import type { Answered, AttemptRequest, ExchangePorts } from "./exchange/buffered.ts";
import { Connections } from "./exchange/connections.ts";
import { RETRY_AFTER_MAX_MS } from "../contract/retry_after.ts";
import type { AttemptDetails, AttemptInFlight } from "./attempt_in_flight.ts";
import { Balancer } from "./replicas/balancer.ts";
import { HealthChecks } from "./replicas/health_checks.ts";
import { TimerWheel } from "./exchange/timer_wheel.ts";
import { Hedger, type StartedAttempt } from "./exchange/hedge.ts";
import { LookupLoop } from "./discovery/lookup_loop.ts";
import { type DnsServer, type LookUp, resolverFrom } from "./discovery/dns.ts";
import { poolCauses } from "./causes.ts";
import { ProviderRest } from "./provider_rest.ts";
import { readRateLimitHeaders } from "./limits/rate_limit_headers.ts";
import type { Replica } from "./replicas/replica.ts";
import type { Endpoint } from "./discovery/endpoints.ts";
import { NO_REPLICA, type StreamedAnswer, type StreamedRequest, streamTo } from "./exchange/streamed.ts";

const log = logger("pool");

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
  readonly #ports: ExchangePorts;
  readonly #batches: Batches;
  readonly #balancer: Balancer;
  readonly #lookups: LookupLoop;
  readonly #listeners: Set<() => void> = new Set();
  readonly #checks: HealthChecks;
  readonly #hedger: Hedger | undefined;
  readonly #rest: ProviderRest;
  #endpoints: ReadonlyMap<string, Endpoint> = new Map();
  #permits = -1;
  #emptySinceMs: number | undefined;

  constructor(config: PoolConfig) {
    this.#config = config;
    const { connectTimeoutMs, retryAfterMaxMs = RETRY_AFTER_MAX_MS } = config;
    const connections = new Connections(connectTimeoutMs);
    this.#ports = { connections, timers: new TimerWheel(), retryAfterMaxMs };
    this.#balancer = new Balancer(config.concurrency, config.random ?? Math.random, { retryAfterMaxMs });
    this.#batches = new Batches(this.#ports, (key) => this.#balancer.wasReset(key));
    this.#rest = new ProviderRest({
      provider: this.#balancer.provider,
      changed: () => this.#changed(),
    });
    const resolver = resolverFrom(config.dnsServer);
    this.#lookups = new LookupLoop({
      urls: config.urls,
      resolver: config.lookUp === undefined ? resolver : { ...resolver, addresses: config.lookUp },
      onFound: (endpoints) => this.#lookedUp(endpoints),
      usable: () => this.#balancer.replicaPermits(monotonicMs()) > 0,
    });
    this.#checks = new HealthChecks({
      agent: connections.single,
      replicas: () => this.replicas,
      endpointOf: ({ address }) => this.#endpoints.get(address),
      changed: () => this.#changed(),
      budgetBack: () => {
        this.#balancer.provider.endRest(monotonicMs());
        this.#changed();
      },
      offered: (replica, offer) => this.#batches.learn(replica, offer),
    });
    this.#hedger = config.hedgeMs === undefined ? undefined : new Hedger({
      hedgeMs: config.hedgeMs,
      permits: () => this.permits,
      beginElsewhere: (except, attempt) => this.#beginElsewhere(except, attempt),
      changed: () => this.#changed(),
    });
  }

  /** How many attempts may be in flight at once now. */
  get permits(): number {
    return this.#leftOf(this.#balancer.permits(monotonicMs()));
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
    return this.#hedger?.counts ?? { sent: 0, won: 0 };
  }

  /** Why nothing can be sent, as far as the pool knows. */
  causes(): readonly Cause[] {
    return poolCauses({
      replicas: this.replicas,
      hosts: this.#config.urls.map((url) => url.host),
      emptySinceMs: this.#emptySinceMs,
      rest: this.providerRestUntilMs > monotonicMs() ? this.#rest.last : undefined,
      nowMs: monotonicMs(),
    });
  }

  /** Calls back whenever {@link permits} has changed. */
  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /** Looks the replicas up for the first time and keeps looking. */
  async start(): Promise<void> {
    await this.#lookups.start();
    this.#checks.start();
  }

  /** Whether a replica would take an attempt now. */
  hasFree(): boolean {
    return this.inFlight < this.permits;
  }

  /**
   * Sends one attempt to a free replica, or to the least busy one where none is free.
   *
   * @throws {AttemptAbandoned} when the caller's signal fired.
   */
  async send(attempt: AttemptRequest): Promise<Answered> {
    const nowMs = monotonicMs();
    const target = this.#target(nowMs);
    if (target === undefined) return { outcome: NO_REPLICA.outcome, headers: {} };
    if (!this.#hedger?.takes(attempt)) return await this.#attempt(target, attempt, nowMs);
    return await this.#hedger.watch(this.#start(target, attempt, nowMs), target.replica, attempt);
  }

  /** Where the next attempt goes: to a free replica, or to the least busy one where it cannot wait. */
  #target(nowMs: number): Target | undefined {
    return this.#targetAt(this.#balancer.pick(nowMs) ?? this.#balancer.leastBusy());
  }

  #targetAt(replica: Replica | undefined): Target | undefined {
    const endpoint = replica && this.#endpoints.get(replica.address);
    return replica === undefined || endpoint === undefined ? undefined : { replica, endpoint };
  }

  /** An attempt that can be given up. */
  #start(target: Target, attempt: AttemptRequest, nowMs: number): StartedAttempt {
    const given = new AbortController();
    const signal = attempt.signal === undefined
      ? given.signal
      : AbortSignal.any([attempt.signal, given.signal]);
    return {
      answered: this.#attempt(target, { ...attempt, signal }, nowMs),
      abandon: () => given.abort(),
    };
  }

  /** Only where a permit is free: a second attempt never takes the place of a record that waits. */
  #beginElsewhere(except: Replica, attempt: AttemptRequest): StartedAttempt | undefined {
    const nowMs = monotonicMs();
    const target = this.#targetAt(this.#balancer.pick(nowMs, except));
    if (target === undefined || this.#balancer.inFlight >= this.#balancer.permits(nowMs)) return undefined;
    log.debug("hedged", { slow: except.address, replica: target.replica.address });
    return this.#start(target, attempt, nowMs);
  }

  async #attempt(target: Target, attempt: AttemptRequest, nowMs: number): Promise<Answered> {
    const sent = this.#take(target.replica, attempt, nowMs);
    try {
      const answered = await this.#batches.send(target, this.#prepared(attempt));
      const offer = answered.headers[BATCH_HEADER];
      if (offer !== undefined) this.#batches.learn(target.replica, offer);
      this.#finished(sent, answered.outcome, { report: readRateLimitHeaders(answered.headers) });
      return ruleFor(answered.outcome).disposition === "settle"
        ? answered
        : { ...answered, outcome: { ...answered.outcome, replica: target.replica.address } };
    } catch (error) {
      this.#abandoned(sent);
      throw error;
    }
  }

  /**
   * Like {@link send}, for callers who stream: the permit is held until the answer has come to its end.
   *
   * @throws {AttemptAbandoned} when the caller's signal fired or its body threw.
   */
  async stream(request: StreamedRequest): Promise<StreamedAnswer> {
    const nowMs = monotonicMs();
    const target = this.#target(nowMs);
    if (target === undefined) return NO_REPLICA;
    const { replica, endpoint } = target;
    const sent = this.#take(replica, request, nowMs);
    const streaming = streamTo(this.#ports, endpoint, request);
    const ended = streaming.ended.then((end) => {
      if (end !== undefined) {
        const { outcome, latencyMs, headers } = end;
        return this.#finished(sent, outcome, { latencyMs, report: readRateLimitHeaders(headers) });
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
    this.#ports.timers.close();
    this.#lookups.close();
    this.#rest.close();
    this.#checks.close();
    await this.#ports.connections.close();
  }

  #prepared(attempt: AttemptRequest): AttemptRequest {
    const { token, firstByteMs } = this.#config;
    if (token === undefined && firstByteMs === undefined) return attempt;
    const proof = token === undefined ? {} : { authorization: `Bearer ${token}` };
    return { ...attempt, firstByteMs, headers: { ...attempt.headers, ...proof } };
  }

  /** If this attempt uses the provider's rate up, the timer for the next one is set now and not when an answer comes. */
  #take(replica: Replica, { headers }: Pick<AttemptRequest, "headers">, nowMs: number): AttemptInFlight {
    const sent = this.#balancer.start(replica, nowMs, headers[RequestHeader.idempotencyKey]);
    if (this.#balancer.provider.ratePerSecond !== undefined) {
      this.#rest.update(this.#balancer.nextChangeMs(nowMs), nowMs);
    }
    return sent;
  }

  #finished(sent: AttemptInFlight, outcome: Outcome, also: AttemptDetails): void {
    const { replica } = sent;
    const before = { ejected: replica.ejected, draining: replica.draining };
    const nowMs = monotonicMs();
    this.#balancer.recordFinished(sent, outcome, nowMs, also);
    if (replica.ejected || replica.draining) this.#leftAlone(replica, before, outcome);
    this.#changed(nowMs);
  }

  #leftAlone(replica: Replica, before: Pick<Replica, "ejected" | "draining">, outcome: Outcome): void {
    const about = { replica: replica.address, last: outcomeLabel(outcome) };
    if (replica.ejected && !before.ejected) log.warn("replica ejected", { ...about, why: replica.ejection });
    if (replica.draining && !before.draining) log.info("replica drains", about);
    this.#checks.watch();
  }

  #abandoned(sent: AttemptInFlight): void {
    this.#balancer.recordAbandoned(sent);
    this.#changed();
  }

  /** Second attempts hold permits that their callers do not know of. */
  #leftOf(permits: number): number {
    return Math.max(0, permits - (this.#hedger?.inFlight ?? 0));
  }

  #changed(nowMs = monotonicMs()): void {
    const survey = this.#balancer.survey(nowMs);
    const permits = this.#leftOf(survey.permits);
    this.#rest.update(survey.nextChangeMs, nowMs);
    this.#noticeEmpty(survey.replicaPermits === 0, nowMs);
    if (permits === this.#permits) return;
    this.#permits = permits;
    for (const listener of this.#listeners) listener();
  }

  /** Looks at the replicas' own permits: a rest of the provider is no lack of replicas, and must not hide one. */
  #noticeEmpty(empty: boolean, nowMs: number): void {
    if (empty === (this.#emptySinceMs !== undefined)) return;
    this.#emptySinceMs = empty ? nowMs : undefined;
    if (empty) this.#lookups.hurry();
  }

  #lookedUp(found: readonly Endpoint[]): void {
    const addresses = found.map(({ address }) => address);
    const known = new Set(this.replicas.map(({ address }) => address));
    for (const address of addresses) {
      if (!known.has(address)) log.info("replica joined", { replica: address });
    }
    this.#endpoints = new Map(found.map((endpoint) => [endpoint.address, endpoint]));
    this.#balancer.setAddresses(addresses, monotonicMs());
    this.#checks.watch();
    this.#changed();
  }
}
