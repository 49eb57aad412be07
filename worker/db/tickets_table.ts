// The user's tickets table: its names as SQL, what the database's catalogue says of it, and its ids in one spelling.

import type { Parameter, Row } from "./pool.ts";

/** The table and the columns Ackpool touches. Names may be qualified (`support.tickets`) and quoted (`"Tickets"`). */
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

/** What the statements need to know of the table. */
export interface TableFacts {
  readonly idType: IdType;
  /** SQL's name of the category's type: what a label is cast to. */
  readonly categoryType: string;
  /** Its rows can be locked: a table, or a view that Postgres itself writes through. */
  readonly lockable: boolean;
  /** Which of the columns it has that hold a ticket's text; a table of somebody else's may have neither. */
  readonly textColumns: readonly ("subject" | "body")[];
}

/** Runs one statement. */
export type Query = <R extends Row>(
  statement: string,
  parameters: readonly Parameter[],
) => Promise<readonly R[]>;

/** Ids are part of an index's key, whose rows Postgres bounds at 2,704 bytes. */
const ID_BYTES_MAX = 1_024;
/** Tables nobody's tickets are in. */
const SYSTEM_SCHEMA = /^(pg_catalog|information_schema|pg_toast)$/;
const OWN_TABLES = new Set(["labels", "fences", "history", "spend", "failed_calls", "migrations"]);

/** The parts of a name, as the catalogue has them: `support."Tickets"` is `support` and `Tickets`. */
export function nameParts(name: string): readonly string[] {
  return (name.match(/"(?:[^"]|"")*"|[^."]+/g) ?? []).map((part) =>
    part.startsWith('"') ? part.slice(1, -1).replaceAll('""', '"') : part
  );
}

/** A name as SQL: each part quoted. */
export function quoted(name: string): string {
  return nameParts(name).map((part) => `"${part.replaceAll('"', '""')}"`).join(".");
}

interface FactsRow extends Row {
  readonly there: boolean;
  readonly schema_name: string | null;
  readonly table_name: string | null;
  readonly lockable: boolean | null;
  readonly updatable: boolean | null;
  readonly id_type: string | null;
  readonly category_type: string | null;
  readonly classified_at_type: string | null;
  readonly columns: string | null;
  readonly has_subject: boolean;
  readonly has_body: boolean;
}

const FACTS = `
  with found as (select to_regclass($1) as oid),
  types as (
    select a.attname, format_type(coalesce(nullif(t.typbasetype, 0), t.oid), null) as base,
      format_type(a.atttypid, a.atttypmod) as whole
    from found join pg_attribute a on a.attrelid = found.oid join pg_type t on t.oid = a.atttypid
    where a.attnum > 0 and not a.attisdropped
  )
  select c.oid is not null as there, n.nspname::text as schema_name, c.relname::text as table_name,
    pg_relation_is_updatable(c.oid, false) & 4 = 4 as lockable,
    pg_relation_is_updatable(c.oid, true) & 4 = 4 as updatable,
    (select base from types where attname = $2) as id_type,
    (select whole from types where attname = $3) as category_type,
    (select whole from types where attname = $4) as classified_at_type,
    (select string_agg(attname, ', ') from types) as columns,
    exists(select from types where attname = 'subject') as has_subject,
    exists(select from types where attname = 'body') as has_body
  from found left join pg_class c on c.oid = found.oid left join pg_namespace n on n.oid = c.relnamespace`;

/**
 * Asks the catalogue about the table; undefined where there is none. Who only inserts needs the id column alone.
 *
 * @throws {Error} with an SQLSTATE of class 42 in `code` when it cannot be used, saying why.
 */
export async function readTableFacts(
  query: Query,
  table: TicketsTable,
  needed: "all columns" | "id" = "all columns",
): Promise<TableFacts | undefined> {
  const columns = [table.idColumn, table.categoryColumn, table.classifiedAtColumn];
  const names = columns.map((column) => nameParts(column)[0] ?? "");
  const [row] = await query<FactsRow>(FACTS, [quoted(table.name), ...names]);
  if (!row?.there) return undefined;
  const own = row.schema_name === "ackpool" && OWN_TABLES.has(row.table_name ?? "");
  if (own || SYSTEM_SCHEMA.test(row.schema_name ?? "")) {
    const whose = own ? "Ackpool's own" : "one of the database's own";
    throw misconfigured("42809", `table ${table.name} is ${whose}: TICKETS_TABLE names another`);
  }
  const types = [row.id_type, row.category_type, row.classified_at_type];
  const missing = columns.slice(0, needed === "id" ? 1 : columns.length).filter((_, at) =>
    types[at] === null
  );
  if (missing.length > 0) {
    const word = missing.length === 1 ? "column" : "columns";
    throw misconfigured(
      "42703",
      `table ${table.name} has no ${word} ${missing.join(", ")}: its columns are ${row.columns}`,
    );
  }
  if (row.updatable === false) throw misconfigured("42809", `${table.name} is a view that cannot be updated`);
  const idType = ID_TYPES.find((known) => known === row.id_type);
  if (idType === undefined) {
    throw misconfigured(
      "42804",
      `column ${table.idColumn} is ${row.id_type}, which is none of ${ID_TYPES.join(", ")}`,
    );
  }
  return {
    idType,
    categoryType: row.category_type ?? "text",
    lockable: row.lockable === true,
    textColumns: [...row.has_subject ? ["subject" as const] : [], ...row.has_body ? ["body" as const] : []],
  };
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
      return id.includes("\u0000") || !id.isWellFormed() || isTooLong(id) ? undefined : id;
    default: {
      const impossible: never = type;
      throw new Error(`Unknown id type ${impossible}`);
    }
  }
}

/** An error as the database would have given it. */
export function misconfigured(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}

function isTooLong(id: string): boolean {
  return id.length > ID_BYTES_MAX || new TextEncoder().encode(id).length > ID_BYTES_MAX;
}

function wholeWithin(id: string, bits: number): string | undefined {
  // What has no leading zero and is short enough is canonical already.
  if (/^[1-9]\d{0,8}$/.test(id)) return id;
  if (!/^-?\d{1,20}$/.test(id)) return undefined;
  const value = BigInt(id);
  return value === BigInt.asIntN(bits, value) ? value.toString() : undefined;
}
