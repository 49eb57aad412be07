// Claim leases: renews the claims this process holds, so that only a dead or stopped one loses them.

import type { BeginRequest } from "../core/label_store.ts";
import { LEASE_S } from "./statements.ts";

/** Three renewals fit into a lease. */
const RENEW_EVERY_MS = (LEASE_S * 1000) / 3;

/** The claims held here. */
export class ClaimLeases {
  readonly #renew: (held: readonly BeginRequest[]) => Promise<void>;
  readonly #held = new Map<string, BeginRequest>();
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(renew: (held: readonly BeginRequest[]) => Promise<void>) {
    this.#renew = renew;
  }

  /** Renews this claim from now on. */
  hold(request: BeginRequest): void {
    this.#held.set(request.claim, request);
    this.#timer ??= setInterval(() => void this.#tick(), RENEW_EVERY_MS);
  }

  /** Renews it no longer. */
  drop(claim: string): void {
    this.#held.delete(claim);
    if (this.#held.size === 0) this.close();
  }

  /** Stops renewing. May be called twice. */
  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async #tick(): Promise<void> {
    try {
      await this.#renew([...this.#held.values()]);
    } catch {
      // The database is away: claims cannot be taken over meanwhile either, and the next tick tries again.
    }
  }
}
