// The review store on Postgres: a label with its history, a human's override, and the labels that need review.

import type { StoreFailure } from "../core/label_store.ts";
import type {
  HistoryEntry,
  LabelAccuracy,
  Override,
  OverrideResult,
  ReviewedLabels,
  ReviewEntry,
  ReviewStore,
  TicketRecord,
  TicketText,
  UndoResult,
} from "../core/review_store.ts";
import { type Parameter, type Row, storeFailure } from "./database.ts";
import { labelOf, type LabelRow } from "./label_rows.ts";
import type { Statements } from "./statements.ts";
import type { TableCatalog } from "./table_catalog.ts";

interface RecordRow extends LabelRow {
  readonly category: string | null;
  readonly classified_at: Date | null;
  readonly override_category: string | null;
  readonly override_by: string | null;
  readonly history: readonly HistoryEntry[];
}

interface OverrideRow extends Row {
  readonly ticket_id: string;
  readonly category: string;
  readonly model_category: string | null;
  readonly by: string;
  readonly at: Date;
}

/** See {@link ReviewStore}. */
export class PostgresReviewStore implements ReviewStore {
  readonly #catalog: TableCatalog;

  constructor(catalog: TableCatalog) {
    this.#catalog = catalog;
  }

  async read(asked: string): Promise<TicketRecord> {
    const ticketId = await this.#catalog.canonical(asked);
    if (typeof ticketId !== "string") return ticketId;
    const rows = await this.#run<RecordRow>("read", [ticketId]);
    if ("kind" in rows) return rows;
    const [row] = rows;
    return row === undefined ? { kind: "not_found" } : recordOf(row);
  }

  async override({ ticketId: asked, category, by, reason }: Override): Promise<OverrideResult> {
    const ticketId = await this.#catalog.canonical(asked);
    if (typeof ticketId !== "string") return ticketId;
    const rows = await this.#run<Row & { model_category: string | null; first: boolean }>(
      "override",
      [ticketId, category, by, reason],
    );
    if ("kind" in rows) return rows;
    const [row] = rows;
    return row === undefined
      ? { kind: "not_found" }
      : { kind: "written", modelCategory: row.model_category, first: row.first };
  }

  async undo(asked: string, by: string): Promise<UndoResult> {
    const ticketId = await this.#catalog.canonical(asked);
    if (typeof ticketId !== "string") return ticketId;
    const rows = await this.#run<Row & { there: boolean; undone: boolean; category: string | null }>("undo", [
      ticketId,
      by,
    ]);
    if ("kind" in rows) return rows;
    const [row] = rows;
    return row?.there
      ? { kind: "written", undone: row.undone, category: row.category }
      : { kind: "not_found" };
  }

  async review(
    below: number,
    limit: number,
    categories: readonly string[],
  ): Promise<readonly ReviewEntry[] | StoreFailure> {
    const rows = await this.#run<
      Row & Omit<ReviewEntry, "ticketId" | "at"> & { ticket_id: string; at: Date }
    >(
      "review",
      [below, limit, JSON.stringify(categories)],
    );
    if ("kind" in rows) return rows;
    return rows.map(({ ticket_id, category, confidence, reason, at }) => ({
      ticketId: ticket_id,
      category,
      confidence,
      reason,
      at: at.toISOString(),
    }));
  }

  async texts(ticketIds: readonly string[]): Promise<ReadonlyMap<string, TicketText> | StoreFailure> {
    const rows = await this.#run<Row & TicketText & { ticket_id: string }>("texts", [
      JSON.stringify(ticketIds),
    ]);
    if ("kind" in rows) return rows;
    return new Map(rows.map(({ ticket_id, subject, body }) => [ticket_id, { subject, body }]));
  }

  async reviewed(limit: number): Promise<ReviewedLabels | StoreFailure> {
    const [overrides, accuracy] = await Promise.all([
      this.#run<OverrideRow>("overrides", [limit]),
      this.#run<Row & LabelAccuracy>("accuracy", []),
    ]);
    if ("kind" in overrides) return overrides;
    if ("kind" in accuracy) return accuracy;
    return {
      overrides: overrides.map(({ ticket_id, category, model_category, by, at }) => ({
        ticketId: ticket_id,
        category,
        modelCategory: model_category,
        by,
        at: at.toISOString(),
      })),
      accuracy: accuracy.map(({ category, right, reviewed }) => ({ category, right, reviewed })),
    };
  }

  async #run<R extends Row>(
    statement: "read" | "override" | "undo" | "review" | "texts" | "overrides" | "accuracy",
    parameters: readonly Parameter[],
  ): Promise<readonly R[] | StoreFailure> {
    try {
      const statements: Statements = (await this.#catalog.known()).statements;
      return await this.#catalog.database.run<R>(statements[statement], parameters);
    } catch (error) {
      const failure = storeFailure(error);
      if (failure.cause === "misconfigured") this.#catalog.forget();
      return failure;
    }
  }
}

function recordOf(row: RecordRow): TicketRecord {
  const label = labelOf(row);
  const category = row.override_category ?? label?.category;
  return {
    kind: "found",
    category: row.category,
    classifiedAt: row.classified_at?.toISOString() ?? null,
    overriddenBy: row.override_by,
    current: category === undefined
      ? undefined
      : { category, label: row.override_category === null ? label : undefined },
    history: row.history,
  };
}
