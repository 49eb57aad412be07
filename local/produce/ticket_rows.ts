// Rows of the table `tickets` that `start` and `produce` insert beside the records.

import postgres from "postgres";
import type { TicketId } from "../../shared/ticket.ts";

/** A row before it has a label. */
export interface TicketRow {
  readonly id: TicketId;
  readonly subject: string;
  readonly body: string;
}

/** What became of a row. */
export type Inserted = "new" | "there_already" | { readonly problem: string };

const CONNECT_TIMEOUT_S = 5;

/** Writes tickets into the table `tickets`, beside the records. */
export class TicketRows {
  readonly #sql: postgres.Sql;

  constructor(url: string) {
    this.#sql = postgres(url, {
      max: 1,
      connect_timeout: CONNECT_TIMEOUT_S,
      fetch_types: false,
      onnotice: () => {},
    });
  }

  /** What became of each row, in their order. Throws when the database or the table is not there. */
  async insert(rows: readonly TicketRow[]): Promise<Inserted[]> {
    try {
      return await this.#insertAll(rows);
    } catch (error) {
      if (!isDataError(error)) throw error;
      if (rows.length === 1) return [{ problem: error.message }];
      const alone: Inserted[] = [];
      for (const row of rows) alone.push(...await this.insert([row]));
      return alone;
    }
  }

  /**
   * A whole number above every id in the table, from which ids may be counted up. Throws when ids are not numbers.
   */
  async nextId(): Promise<number> {
    const [row] = await this.#sql<{ next: string }[]>`select coalesce(max(id), 0) + 1 as next from tickets`;
    return Number(row?.next ?? 1);
  }

  /**
   * Forgets where in Kafka labels came from. The embedded Kafka counts its offsets from 0 at every start, so what an
   * earlier one gave would make every new record look old; timestamps still tell them apart.
   */
  async forgetPositions(): Promise<void> {
    await this.#sql`
      update ackpool.fences set topic = null, partition = null, record_offset = null where topic is not null`;
  }

  async close(): Promise<void> {
    await this.#sql.end({ timeout: 2 });
  }

  async #insertAll(rows: readonly TicketRow[]): Promise<Inserted[]> {
    const unique = new Map(rows.map((row) => [String(row.id), row]));
    const values = [...unique.values()].map(({ id, subject, body }) => ({ id: String(id), subject, body }));
    const inserted = await this.#sql<{ id: string }[]>`
      insert into tickets ${this.#sql(values, "id", "subject", "body")}
      on conflict (id) do nothing returning id::text as id`;
    const fresh = new Set(inserted.map(({ id }) => id));
    return rows.map(({ id }) => fresh.delete(String(id)) ? "new" : "there_already");
  }
}

/** SQLSTATE classes 22 and 23: the row is to blame, not the database. */
function isDataError(error: unknown): error is Error {
  return error instanceof Error && "code" in error && /^2[23]/.test(String(error.code));
}
