// The user's tickets table: its quoted names, its id's type, and how it is created where there is none.

import type postgres from "postgres";
import type { Database } from "./database.ts";

/** The table and the columns Ackpool touches. Names may be qualified (`support.tickets`). */
export interface TicketsTable {
  readonly name: string;
  readonly idColumn: string;
  readonly categoryColumn: string;
  readonly classifiedAtColumn: string;
}

/** What `migrate` creates. */
export const DEFAULT_TICKETS_TABLE: TicketsTable = {
  name: "tickets",
  idColumn: "id",
  categoryColumn: "category",
  classifiedAtColumn: "classified_at",
};

/** The types an id column may have, by their names in the catalogue. */
const ID_TYPES = ["bigint", "integer", "text", "character varying", "uuid"] as const;

/** See {@link ID_TYPES}. */
export type IdType = (typeof ID_TYPES)[number];

/** A name as SQL: each part quoted. The environment's schema lets no other names through than identifiers. */
export function quoted(name: string): string {
  return name.split(".").map((part) => `"${part.replaceAll('"', '""')}"`).join(".");
}

/** Creates the table unless there is one. Answers whether it did. */
export async function createTicketsTable(
  sql: postgres.TransactionSql,
  table: TicketsTable,
): Promise<boolean> {
  const [found] = await sql.unsafe<{ there: boolean }[]>("select to_regclass($1) is not null as there", [
    quoted(table.name),
  ]);
  if (found?.there) return false;
  await sql.unsafe(`create table ${quoted(table.name)} (
    ${quoted(table.idColumn)} bigint constraint tickets_pkey primary key,
    subject text not null,
    body text not null,
    ${quoted(table.categoryColumn)} text,
    ${quoted(table.classifiedAtColumn)} timestamptz
  )`);
  return true;
}

/**
 * Asks the catalogue for the id column's type.
 *
 * @throws {Error} with SQLSTATE 42P01, 42703 or 42804 in `code` when table or column is missing or of another type.
 */
export async function readIdType(database: Database, table: TicketsTable): Promise<IdType> {
  const [row] = await database.run<{ type: string | null; there: boolean }>(
    `select to_regclass($1) is not null as there, (
       select format_type(atttypid, null) from pg_attribute
       where attrelid = to_regclass($1) and attname = $2 and not attisdropped
     ) as type`,
    [quoted(table.name), table.idColumn],
  );
  if (!row?.there) throw misconfigured("42P01", `table ${table.name} is not there: run deno task migrate`);
  if (row.type === null) throw misconfigured("42703", `table ${table.name} has no column ${table.idColumn}`);
  const type = ID_TYPES.find((known) => known === row.type);
  if (type === undefined) {
    throw misconfigured(
      "42804",
      `column ${table.idColumn} is ${row.type}, which is none of ${ID_TYPES.join(", ")}`,
    );
  }
  return type;
}

/** The id as the column would show it, so that one ticket has one key; undefined when the column cannot hold it at all. */
export function canonicalId(type: IdType, id: string): string | undefined {
  switch (type) {
    case "bigint":
      return wholeWithin(id, 64);
    case "integer":
      return wholeWithin(id, 32);
    case "uuid":
      return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id) ? id.toLowerCase() : undefined;
    case "text":
    case "character varying":
      return id.includes("\u0000") || !id.isWellFormed() ? undefined : id;
    default: {
      const impossible: never = type;
      throw new Error(`Unknown id type ${impossible}`);
    }
  }
}

function wholeWithin(id: string, bits: number): string | undefined {
  // What has no leading zero and is short enough is canonical already.
  if (/^[1-9]\d{0,8}$/.test(id)) return id;
  if (!/^-?\d{1,20}$/.test(id)) return undefined;
  const value = BigInt(id);
  return value === BigInt.asIntN(bits, value) ? value.toString() : undefined;
}

function misconfigured(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
