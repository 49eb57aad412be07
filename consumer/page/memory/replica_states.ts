// ReplicaStates: since when each replica takes work, or why and since when it does not.

import { outFor } from "../../../shared/pool/causes.ts";
import type { Replica } from "../../../shared/pool/replicas/replica.ts";

/** Looked at once a second; a replica that is gone is forgotten. */
export class ReplicaStates {
  #states: ReadonlyMap<string, { readonly out: string | undefined; readonly sinceMs: number }> = new Map();

  look(replicas: readonly Replica[], nowMs: number): void {
    this.#states = new Map(replicas.map((replica) => {
      const out = outFor(replica, nowMs);
      const before = this.#states.get(replica.address);
      return [replica.address, before !== undefined && before.out === out ? before : { out, sinceMs: nowMs }];
    }));
  }

  /** In ms; undefined where it was not looked at yet. */
  sinceMs(address: string): number | undefined {
    return this.#states.get(address)?.sinceMs;
  }
}
