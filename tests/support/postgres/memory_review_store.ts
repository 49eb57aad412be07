// A review store over the tables of the label store in memory.

import type { StoreFailure } from "../../../worker/core/label_store.ts";
import type {
  Override,
  OverrideResult,
  ReviewEntry,
  ReviewStore,
  TicketRecord,
  UndoResult,
} from "../../../worker/core/review_store.ts";
import type { MemoryTables } from "./memory_label_store.ts";

/** Keeps no history. */
export class MemoryReviewStore implements ReviewStore {
  constructor(readonly tables: MemoryTables) {}

  read(ticketId: string): Promise<TicketRecord> {
    const ticket = this.tables.tickets.get(ticketId);
    if (ticket === undefined) return Promise.resolve({ kind: "not_found" });
    const fence = this.tables.fences.get(ticketId);
    return Promise.resolve({
      kind: "found",
      category: ticket.category,
      classifiedAt: ticket.classifiedAtMs === null ? null : new Date(ticket.classifiedAtMs).toISOString(),
      overriddenBy: this.tables.overrides.has(ticketId) ? "someone" : null,
      current: fence === undefined ? undefined : { category: fence.label.category, label: fence.label },
      history: [],
    });
  }

  override({ ticketId, category }: Override): Promise<OverrideResult> {
    const { tickets, overrides, fences } = this.tables;
    if (!tickets.has(ticketId)) return Promise.resolve({ kind: "not_found" });
    const first = !overrides.has(ticketId);
    overrides.set(ticketId, category);
    tickets.set(ticketId, { category, classifiedAtMs: Date.now() });
    const modelCategory = fences.get(ticketId)?.label.category ?? null;
    return Promise.resolve({ kind: "written", modelCategory, first });
  }

  texts(ticketIds: readonly string[]) {
    return Promise.resolve(
      new Map(ticketIds.map((id) => [id, { subject: `Subject of ${id}`, body: `Body of <${id}>` }])),
    );
  }

  reviewed() {
    const overrides = [...this.tables.overrides].map(([ticketId, category]) => ({
      ticketId,
      category,
      modelCategory: this.tables.fences.get(ticketId)?.label.category ?? null,
      by: "someone",
      at: new Date(0).toISOString(),
    }));
    return Promise.resolve({ overrides, accuracy: [] });
  }

  undo(ticketId: string): Promise<UndoResult> {
    const { tickets, overrides, fences } = this.tables;
    const ticket = tickets.get(ticketId);
    if (ticket === undefined) return Promise.resolve({ kind: "not_found" });
    const undone = overrides.delete(ticketId);
    const category = undone ? fences.get(ticketId)?.label.category ?? null : ticket.category;
    tickets.set(ticketId, { ...ticket, category });
    return Promise.resolve({ kind: "written", undone, category });
  }

  review(
    below: number,
    limit: number,
    categories: readonly string[],
  ): Promise<readonly ReviewEntry[] | StoreFailure> {
    if (this.tables.failure !== undefined) return Promise.resolve(this.tables.failure);
    const open = [...this.tables.fences].filter(([id]) => !this.tables.overrides.has(id));
    const entries = open.flatMap(([ticketId, { label: { category, confidence, reason } }]) =>
      confidence === null || confidence >= below || !categories.includes(category)
        ? []
        : [{ ticketId, category, confidence, reason, at: new Date(0).toISOString() }]
    );
    return Promise.resolve(entries.sort((a, b) => a.confidence - b.confidence).slice(0, limit));
  }
}
