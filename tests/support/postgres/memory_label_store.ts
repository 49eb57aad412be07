// A label store in memory, for tests of what lies above it. It passes the same conformance suite as the real one.

import type { TicketEvent } from "../../../worker/core/fence.ts";
import { isOlder } from "../../../worker/core/fence.ts";
import type { Label } from "../../../worker/core/label.ts";
import type {
  BeginRequest,
  BeginResult,
  FinishRequest,
  FinishResult,
  LabelStore,
  ReleaseRequest,
  StoreFailure,
} from "../../../worker/core/label_store.ts";

/** What all replicas of a memory store share. */
export class MemoryTables {
  readonly tickets = new Map<string, { category: string | null; classifiedAtMs: number | null }>();
  readonly labels = new Map<string, { label?: Label; claim?: string; live: boolean; claims: number }>();
  readonly fences = new Map<string, { event: TicketEvent; label: Label; hash: string }>();
  readonly overrides = new Map<string, string>();
  readonly failedCalls = new Map<string, { readonly calls: number; readonly replays: number }>();
  /** Set to let every method fail. */
  failure: StoreFailure | undefined;
}

/** A replica over {@link MemoryTables}. */
export class MemoryStore implements LabelStore {
  constructor(readonly tables = new MemoryTables()) {}

  begin({ key, event, claim, callsMax }: BeginRequest): Promise<BeginResult> {
    const { tickets, labels, fences, overrides, failure } = this.tables;
    if (failure !== undefined) return Promise.resolve(failure);
    if (!/^\d{1,19}$/.test(key.ticketId)) {
      return Promise.resolve({
        kind: "failed",
        cause: "bad_id",
        detail: "Ticket ids are of type bigint here",
      });
    }
    const ticket = tickets.get(key.ticketId);
    if (ticket === undefined) return Promise.resolve({ kind: "not_found" });
    const override = overrides.get(key.ticketId);
    if (override !== undefined) {
      return Promise.resolve({ kind: "overridden", current: { category: override, label: undefined } });
    }
    const fence = fences.get(key.ticketId);
    if (fence !== undefined && isOlder(event, fence.event)) {
      return Promise.resolve({
        kind: "stale",
        current: { category: fence.label.category, label: fence.label },
      });
    }
    const name = JSON.stringify(key);
    const row = labels.get(name);
    if (row?.label !== undefined) {
      const applied = fence !== undefined && fence.hash === key.contentHash &&
        fence.label.labelVersion === key.labelVersion && fence.event.atMs === event.atMs &&
        fence.event.position?.offset === event.position?.offset && ticket.category === row.label.category;
      return Promise.resolve({ kind: "known", label: row.label, applied });
    }
    if (row?.live) return Promise.resolve({ kind: "held" });
    const { replays = 0 } = event;
    const counted = this.tables.failedCalls.get(name);
    const failedCalls = (replays > (counted?.replays ?? 0) ? 0 : counted?.calls ?? 0) +
      (replays === 0 ? row?.claims ?? 0 : 0);
    if (failedCalls >= callsMax) return Promise.resolve({ kind: "spent", failedCalls });
    const claims = (row?.claims ?? 0) + 1;
    labels.set(name, { claim, live: true, claims });
    return Promise.resolve({ kind: "claimed", claims, failedCalls });
  }

  finish({ key, event, label, fresh }: FinishRequest): Promise<FinishResult> {
    const { tickets, labels, fences, overrides, failure } = this.tables;
    if (failure !== undefined) return Promise.resolve(failure);
    const name = JSON.stringify(key);
    if (fresh) {
      if (labels.get(name)?.label !== undefined) return Promise.resolve({ kind: "superseded" });
      labels.set(name, { label, live: false, claims: labels.get(name)?.claims ?? 1 });
    }
    if (!tickets.has(key.ticketId)) return Promise.resolve({ kind: "not_found" });
    const fence = fences.get(key.ticketId);
    if (overrides.has(key.ticketId) || (fence !== undefined && isOlder(event, fence.event))) {
      return Promise.resolve({ kind: "superseded" });
    }
    fences.set(key.ticketId, { event, label, hash: key.contentHash });
    tickets.set(key.ticketId, { category: label.category, classifiedAtMs: Date.now() });
    return Promise.resolve({ kind: "written" });
  }

  release({ key, claim, event: { replays = 0 }, failedCalls }: ReleaseRequest): Promise<void> {
    const name = JSON.stringify(key);
    const row = this.tables.labels.get(name);
    if (row?.claim === claim && row.label === undefined) this.tables.labels.delete(name);
    const counted = this.tables.failedCalls.get(name);
    const before = replays > (counted?.replays ?? 0) ? 0 : counted?.calls ?? 0;
    if (failedCalls > 0) {
      this.tables.failedCalls.set(name, {
        calls: before + failedCalls,
        replays: Math.max(replays, counted?.replays ?? 0),
      });
    }
    return Promise.resolve();
  }

  check(): Promise<StoreFailure | undefined> {
    return Promise.resolve(this.tables.failure);
  }
}
