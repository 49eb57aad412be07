// Rows of the table `tickets` that `start` and `produce` insert beside the records.

import type postgres from "postgres";
import { type Environment, readVariables } from "../../shared/config/read.ts";
import type { TicketId } from "../../shared/ticket.ts";
import { parseConnectionString } from "../../shared/postgres/connection_string.ts";
import { ticketsTable } from "../../worker/config.ts";
import { connect } from "../../worker/db/connect.ts";
import {
  DEFAULT_TICKETS_TABLE,
  nameParts,
  quoted,
  type TicketsTable,
} from "../../worker/db/tickets_table.ts";

/** A row before it has a label. */
export interface TicketRow {
  readonly id: TicketId;
  readonly subject: string;
  readonly body: string;
}

interface StoredRow extends TicketRow {
  readonly id: string;
}

/** What became of a row. */
export type Inserted = "new" | "there_already" | { readonly problem: string };

/** Rows a statement reads: the embedded Postgres does one thing at a time, so each is short. */
const PAGE_ROWS = 500;

/** Writes tickets into their table, beside the records, and reads those that have no label. */
export class TicketRows {
  readonly #sql: postgres.Sql;
  readonly #table: TicketsTable;

  /**
   * The table that the environment names, in this database.
   *
   * @throws {ConfigError} when its names cannot be read.
   */
  static at(url: string, env: Environment): TicketRows {
    const names = readVariables(["TICKETS_TABLE", "TICKETS_COLUMNS"], env);
    return new TicketRows(url, ticketsTable({ ...names, DATABASE_URL: url }));
  }

  constructor(url: string, table: TicketsTable = DEFAULT_TICKETS_TABLE) {
    this.#table = table;
    const target = parseConnectionString(url);
    // Behind a pooler statements cannot be prepared.
    this.#sql = connect(target, target.hosts[0] ?? {}, { connectionsMax: 1, prepare: false });
  }

  /** What became of each row, in their order. Throws when the database or the table is not there. */
  async insert(rows: readonly TicketRow[]): Promise<Inserted[]> {
    try {
      return await this.#insertAll(rows);
    } catch (error) {
      if (!isDataError(error)) throw error;
      if (rows.length === 1) return [{ problem: problemOf(error) }];
      const alone: Inserted[] = [];
      for (const row of rows) alone.push(...await this.insert([row]));
      return alone;
    }
  }

  /** A whole number above every id in the table that is one, from which ids may be counted up. */
  async nextId(): Promise<number> {
    const id = quoted(this.#table.idColumn);
    const [row] = await this.#sql.unsafe<{ next: string }[]>(
      `select coalesce(max(${id}::text::bigint) filter (where ${id}::text ~ '^[0-9]{1,15}$'), 0) + 1 as next from ${
        quoted(this.#table.name)
      }`,
    );
    return Number(row?.next ?? 1);
  }

  /** Whether the table has no row. */
  async isEmpty(): Promise<boolean> {
    return (await this.#sql.unsafe(`select from ${quoted(this.#table.name)} limit 1`)).length === 0;
  }

  /** The subjects of some tickets. */
  async subjects(ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const id = quoted(this.#table.idColumn);
    // A parameter each: Postgres reads them as ids of the column's own type, and so uses its index.
    const places = ids.map((_, at) => `$${at + 1}`).join(", ");
    const rows = await this.#sql.unsafe<{ id: string; subject: string }[]>(
      `select ${id}::text as id, subject from ${quoted(this.#table.name)} where ${id} in (${places})`,
      [...ids],
    );
    return new Map(rows.map((row) => [row.id, row.subject]));
  }

  /** How many rows {@link unlabelled} reads. */
  async countUnlabelled(version: string | undefined): Promise<number> {
    const rows = await this.#sql.unsafe<{ count: string }[]>(`select count(*) ${this.#unlabelled()}`, [
      version ?? null,
    ]);
    return Number(rows[0]?.count ?? 0);
  }

  /**
   * Rows without a label, by their ids.
   *
   * @param version also those whose label has another version than this, unless a person decided it.
   */
  async *unlabelled(version: string | undefined): AsyncGenerator<TicketRow> {
    const id = quoted(this.#table.idColumn);
    const select = `select t.${id}::text as id, t.subject, t.body ${this.#unlabelled()}`;
    const page = `order by t.${id} limit ${PAGE_ROWS}`;
    let rows = await this.#sql.unsafe<StoredRow[]>(`${select} ${page}`, [version ?? null]);
    while (rows.length > 0) {
      yield* rows;
      const last = rows.at(-1)?.id ?? "";
      rows = await this.#sql.unsafe<StoredRow[]>(`${select} and t.${id} > $2 ${page}`, [
        version ?? null,
        last,
      ]);
    }
  }

  #unlabelled(): string {
    const { name, idColumn, categoryColumn } = this.#table;
    return `from ${quoted(name)} t left join ackpool.fences f on f.ticket_id = t.${quoted(idColumn)}::text
      where (t.${quoted(categoryColumn)} is null
        or (f.override_category is null and f.label_version <> $1::text))`;
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
    const { name, idColumn } = this.#table;
    const [table, id] = [quoted(name), quoted(idColumn)];
    const unique = new Map(
      rows.map(({ id, subject, body }) => [String(id), { id: String(id), subject, body }]),
    );
    // A table's ids need not be unique, and a view's cannot be declared so. The record knows the type of its id.
    const inserted = await this.#sql.unsafe<{ id: string }[]>(
      `insert into ${table} (${id}, subject, body)
       select r.${id}, i.subject, i.body from json_to_recordset($1::text::json) as i(id text, subject text, body text)
       cross join lateral json_populate_record(null::${table}, json_build_object($2::text, i.id)) r
       where not exists (select from ${table} t where t.${id} = r.${id})
       returning ${id}::text as id`,
      [JSON.stringify([...unique.values()]), nameParts(idColumn)[0] ?? "id"],
    );
    const fresh = new Set(inserted.map(({ id }) => id));
    return rows.map(({ id }) => fresh.delete(String(id)) ? "new" : "there_already");
  }
}

/** SQLSTATE classes 22 and 23: the row is to blame, not the database. */
function isDataError(error: unknown): error is Error {
  return error instanceof Error && "code" in error && /^2[23]/.test(String(error.code));
}

/** Why the table does not take a row, in words of tickets. */
function problemOf(error: Error): string {
  const { code, column_name: column, constraint_name: constraint } = error as Partial<postgres.PostgresError>;
  switch (code) {
    case "22P02":
      return `ticket_id: the table's ids are ${
        /type (bigint|integer)/.test(error.message) ? "whole numbers" : "of another kind"
      }`;
    case "22003":
      return "ticket_id: is larger than the table's ids can be";
    case "22001":
      return "is longer than the table takes";
    case "22021":
    case "22P05":
      return "holds a character that the table cannot hold";
    case "23502":
      return `the table wants a value for ${column}, which a ticket does not have`;
    default:
      return `the table does not take it${constraint === undefined ? "" : ` (${constraint})`}`;
  }
}
