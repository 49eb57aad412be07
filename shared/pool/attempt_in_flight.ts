// An attempt from its start to its end, as the limits count it.

import type { RateReport } from "./limits/rate_limit_headers.ts";
import type { Replica } from "./replicas/replica.ts";

/** An attempt on its way. */
export interface AttemptInFlight {
  readonly replica: Replica;
  /** Which of all attempts it is. */
  readonly number: number;
  /** Attempts on their way when it left, it included. */
  readonly level: number;
  readonly sentMs: number;
  /** Its idempotency key: the same for all attempts of a record. */
  readonly key: string | undefined;
}

/** What is known of an attempt's end besides its outcome. */
export interface AttemptDetails {
  /** What the answer says of the provider's rate. */
  readonly report?: RateReport | undefined;
  /** Time until the answer, where the end came later. */
  readonly latencyMs?: number;
}
