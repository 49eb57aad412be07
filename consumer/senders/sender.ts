// Sender: the port that attempts leave through, be it replicas behind HTTP or a function in this process.

import type { Cause } from "../../shared/http/health.ts";
import type { Answered, AttemptRequest } from "../../shared/pool/exchange/buffered.ts";
import type { Pool } from "../../shared/pool/pool.ts";
import type { KafkaRecord } from "../records/record.ts";

/** What the runtime needs of a sender. */
export interface AttemptSender {
  readonly permits: number;
  onChange(listener: () => void): void;
  /** @param record what the attempt was made of, for senders that stay in this process. */
  send(attempt: AttemptRequest, record: KafkaRecord): Promise<Answered>;
  checkReady(): Promise<boolean>;
  causes(): readonly Cause[];
}

/** The part of a pool that is looked at; a handler in this process has no provider and nobody to hedge with. */
export type ObservedPool = Pick<Pool, "replicas"> & Partial<Pick<Pool, "provider" | "hedges">>;

/** What attempts go through: replicas behind HTTP, or a function in this process. */
export interface Sender extends AttemptSender, ObservedPool {
  start(): Promise<void>;
  close(): Promise<void>;
}
