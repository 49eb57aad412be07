// Lets refusals through that kafkajs keeps to itself.

import BrokerPool from "kafkajs/src/cluster/brokerPool.js";
import { isForbidden } from "../client/refusals.ts";

/** What is touched of kafkajs's pool of brokers. */
interface Pool {
  withBroker<T>(callback: (each: unknown) => Promise<T>): Promise<T | null>;
}

let hearing = false;

/**
 * kafkajs 2.2.4 asks one broker after another who coordinates a group, and where all say that we may not know, it says
 * that there is no coordinator: then nobody learns that a right is missing. What they said is thrown here instead.
 */
export function patchCoordinatorErrors(): void {
  if (hearing) return;
  hearing = true;
  const pool = (BrokerPool as { readonly prototype: Pool }).prototype;
  const { withBroker } = pool;
  pool.withBroker = async function <T>(
    this: Pool,
    callback: (each: unknown) => Promise<T>,
  ): Promise<T | null> {
    let refused: unknown;
    const answer = await withBroker.call(this, async (each) => {
      try {
        return await callback(each);
      } catch (error) {
        if (isForbidden(error)) refused = error;
        throw error;
      }
    });
    if (answer === null && refused !== undefined) throw refused;
    return answer as T | null;
  };
}
