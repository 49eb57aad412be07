// The store that other tests use keeps the same promises as the real one.

import { MemoryStore, MemoryTables } from "../support/postgres/memory_label_store.ts";
import { labelStoreSuite } from "./label_store_suite.ts";

labelStoreSuite("memory", () => {
  const tables = new MemoryTables();
  let nextId = 1;
  return Promise.resolve({
    stores: [new MemoryStore(tables), new MemoryStore(tables)],
    addTicket: () => {
      const id = String(nextId++);
      tables.tickets.set(id, { category: null, classifiedAtMs: null });
      return Promise.resolve(id);
    },
    removeTicket: (id) => Promise.resolve(void tables.tickets.delete(id)),
    category: (id) => Promise.resolve(tables.tickets.get(id)?.category ?? null),
    override: (id, category) => {
      tables.overrides.set(id, category);
      tables.tickets.set(id, { category, classifiedAtMs: Date.now() });
      return Promise.resolve();
    },
    expireClaims: () => {
      for (const row of tables.labels.values()) row.live = false;
      return Promise.resolve();
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
}, 50);
