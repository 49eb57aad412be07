// Patches how kafkajs asks any broker: one that is down is passed over, and a refusal that all give is thrown.

import BrokerPool from "kafkajs/src/cluster/brokerPool.js";
import { isForbidden } from "../client/refusals.ts";

/** What is touched of kafkajs's pool of brokers. */
interface Pool {
  readonly brokers: Readonly<Record<string, { isConnected(): boolean }>>;
  findBroker(node: { readonly nodeId: string }): Promise<unknown>;
  withBroker<T>(question: (each: { nodeId: string; broker: unknown }) => Promise<T>): Promise<T | null>;
}

let patched = false;

/**
 * kafkajs 2.2.4 asks one broker after another, about topics or about who coordinates a group, and gives up at the first
 * that it cannot connect to: with one of two brokers down, half of all questions failed. And where all brokers say that
 * we may not know, it says that there is no coordinator, so nobody learns that a right is missing.
 */
export function patchCoordinatorErrors(): void {
  if (patched) return;
  patched = true;
  const pool = (BrokerPool as { readonly prototype: Pool }).prototype;
  const { withBroker } = pool;
  pool.withBroker = async function <T>(
    this: Pool,
    question: (each: { nodeId: string; broker: unknown }) => Promise<T>,
  ): Promise<T | null> {
    const ids = byChance(Object.keys(this.brokers), (nodeId) => this.brokers[nodeId]?.isConnected() ?? false);
    if (ids.length === 0) return await withBroker.call(this, question) as T | null;
    let refused: unknown;
    let away: unknown;
    let asked = false;
    for (const nodeId of ids) {
      const broker = await this.findBroker({ nodeId }).catch((error: unknown) => {
        away = error;
        return undefined;
      });
      if (broker === undefined) continue;
      asked = true;
      try {
        return await question({ nodeId, broker });
      } catch (error) {
        if (isForbidden(error)) refused = error;
      }
    }
    if (refused !== undefined) throw refused;
    if (!asked) throw away;
    return null;
  };
}

/** Those that are connected first; by chance among equals, so that the work is spread. */
function byChance(ids: readonly string[], isConnected: (id: string) => boolean): readonly string[] {
  const ranked = ids.map((id) => ({ id, rank: Math.random() + (isConnected(id) ? 0 : 1) }));
  return ranked.sort((a, b) => a.rank - b.rank).map(({ id }) => id);
}
