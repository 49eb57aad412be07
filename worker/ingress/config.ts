// Settings of an ingress, read from the environment. Pure: the program hands the environment in.

import { type Environment, readVariables } from "../../shared/config/read.ts";
import type { PoolConfig } from "../../shared/pool/pool.ts";
import { type AccessToken, accessTokens } from "../../shared/http/bearer_token.ts";
import type { WaitQueueBounds } from "./wait_queue.ts";
import type { IngressScaling } from "./scale.ts";

/** An ingress's settings. */
export interface IngressConfig {
  readonly host: string;
  readonly port: number;
  /** Connections one address may have; 0 counts nobody. */
  readonly connectionsPerClient: number;
  readonly pool: PoolConfig;
  readonly rules: IngressRules;
  readonly shutdownGraceMs: number;
}

/** What callers are held to. */
export interface IngressRules {
  readonly maxBodyBytes: number;
  /** Time limit of one try, in ms. */
  readonly timeoutMs: number;
  /** Any of them lets a call in; none at all lets everybody in. */
  readonly tokens: readonly AccessToken[];
  /** Calls of one client a minute; 0 counts nobody. */
  readonly ratePerMinute: number;
  /** Proxies of ours in front. */
  readonly proxies: number;
  readonly queue: WaitQueueBounds;
  readonly scaling: IngressScaling;
}

const NAMES = [
  "LISTEN_ADDRESS",
  "PORT",
  "WORKER_URL",
  "WORKER_DNS_SERVER",
  "WORKER_CONCURRENCY",
  "WORKER_TIMEOUT_MS",
  "WORKER_CONNECT_TIMEOUT_MS",
  "WORKER_TOKEN",
  "RETRY_AFTER_MAX_MS",
  "WORKER_MAX",
  "WORKER_IDLE_MS",
  "MAX_BODY_BYTES",
  "INGRESS_TOKEN",
  "INGRESS_QUEUE",
  "INGRESS_PATIENCE_MS",
  "INGRESS_WAKE_MS",
  "INGRESS_RATE_PER_MINUTE",
  "INGRESS_PROXIES",
  "INGRESS_CONNECTIONS",
  "SHUTDOWN_GRACE_MS",
] as const;

/**
 * Reads an ingress's settings.
 *
 * @throws {ConfigError} naming everything that is missing or wrong at once.
 */
export function parseIngressConfig(env: Environment): IngressConfig {
  const v = readVariables(NAMES, env);
  return {
    host: v.LISTEN_ADDRESS,
    port: v.PORT,
    // Behind proxies of ours all connections are theirs.
    connectionsPerClient: v.INGRESS_PROXIES > 0 ? 0 : v.INGRESS_CONNECTIONS,
    pool: {
      urls: v.WORKER_URL,
      dnsServer: v.WORKER_DNS_SERVER,
      concurrency: v.WORKER_CONCURRENCY,
      // Callers prove themselves to the worker, too: what they send is passed on.
      token: undefined,
      retryAfterMaxMs: v.RETRY_AFTER_MAX_MS,
      connectTimeoutMs: Math.min(v.WORKER_CONNECT_TIMEOUT_MS, v.WORKER_TIMEOUT_MS),
    },
    rules: {
      maxBodyBytes: v.MAX_BODY_BYTES,
      timeoutMs: v.WORKER_TIMEOUT_MS,
      tokens: accessTokens(v.WORKER_TOKEN, v.INGRESS_TOKEN),
      ratePerMinute: v.INGRESS_RATE_PER_MINUTE,
      proxies: v.INGRESS_PROXIES,
      queue: {
        placesMax: v.INGRESS_QUEUE,
        patienceMs: v.INGRESS_PATIENCE_MS,
        wakeMs: Math.max(v.INGRESS_WAKE_MS, v.INGRESS_PATIENCE_MS),
      },
      scaling: {
        permitsPerReplica: v.WORKER_CONCURRENCY,
        replicasMax: v.WORKER_MAX,
        idleMs: v.WORKER_IDLE_MS,
      },
    },
    shutdownGraceMs: v.SHUTDOWN_GRACE_MS,
  };
}
