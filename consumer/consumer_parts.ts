// The parts of a consumer as its configuration says: Kafka with its certificates, and a pool of replicas.

import { Pool } from "../shared/pool/pool.ts";
import type { ConsumerConfig } from "./config.ts";
import type { ConsumerParts } from "./consumer.ts";
import { clientOf } from "./kafka/client/client.ts";

/** Reads certificates, and makes a pool that is not started yet. */
export function partsOf(config: ConsumerConfig): ConsumerParts {
  const { pool, adminPort } = config;
  return {
    config,
    client: clientOf(config),
    sender: new Pool(pool),
    workers: pool.urls.map((url) => url.href),
    adminPort,
    concurrency: pool.concurrency,
  };
}
