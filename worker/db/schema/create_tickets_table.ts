// The creation of the tickets table where there is none, unless its name looks like a mistake.

import { nearest } from "../../../shared/nearest.ts";
import { misconfigured, nameParts, type Query, quoted, type TicketsTable } from "../tickets_table.ts";

/** The types an id column is created with. */
export type CreatedIdType = "bigint" | "text";

/**
 * Creates the table, and its schema where that is missing, too.
 *
 * @throws {Error} with SQLSTATE 42P01 in `code` where there is a table whose name differs by a slip.
 */
export async function createTicketsTable(
  query: Query,
  table: TicketsTable,
  idType: CreatedIdType,
): Promise<void> {
  const parts = nameParts(table.name);
  const [name = "", schema] = parts.toReversed();
  await refuseSlip(query, table, name, schema);
  if (schema !== undefined && !await isSchema(query, schema)) {
    await query(`create schema ${quotedPart(schema)}`, []);
  }
  await query(
    `create table ${quoted(table.name)} (
      ${quoted(table.idColumn)} ${idType} primary key,
      subject text not null,
      body text not null,
      ${quoted(table.categoryColumn)} text,
      ${quoted(table.classifiedAtColumn)} timestamptz
    )`,
    [],
  );
}

/** Makes ids of a table of ours text, so that it takes ids of any kind. What depends on the column may forbid it. */
export async function widenIds(query: Query, table: TicketsTable): Promise<void> {
  const id = quoted(table.idColumn);
  await query(`alter table ${quoted(table.name)} alter column ${id} type text using ${id}::text`, []);
}

async function isSchema(query: Query, schema: string): Promise<boolean> {
  return (await query("select from pg_namespace where nspname = $1", [schema])).length > 0;
}

async function refuseSlip(
  query: Query,
  table: TicketsTable,
  name: string,
  schema: string | undefined,
): Promise<void> {
  const rows = await query<{ schema: string; name: string; in_path: boolean }>(
    `select n.nspname::text as schema, c.relname::text as name, n.nspname = any (current_schemas(false)) as in_path
     from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'p', 'v', 'f') and n.nspname not in ('pg_catalog', 'information_schema', 'ackpool')`,
    [],
  );
  const near = rows.find((row) => {
    const sameSchema = schema === undefined ? row.in_path : row.schema === schema;
    return sameSchema
      ? isSlip(name, row.name)
      : schema !== undefined && row.name === name && isSlip(schema, row.schema);
  });
  if (near === undefined) return;
  const full = schema === undefined ? near.name : `${near.schema}.${near.name}`;
  throw misconfigured(
    "42P01",
    `table ${table.name} is not there, but ${full} is: set TICKETS_TABLE to it, or create ${table.name} yourself`,
  );
}

/** Whether one may have been meant for the other. Names that differ in digits alone are meant as they are. */
export function isSlip(wanted: string, existing: string): boolean {
  if (wanted === existing) return false;
  const [a, b] = [wanted.toLowerCase(), existing.toLowerCase()];
  if (a === b) return true;
  const letters = (text: string) => text.replaceAll(/[^\p{L}]/gu, "");
  if (letters(a) === letters(b)) return /\d/.test(a) === /\d/.test(b) && !/\d/.test(a);
  return nearest(a, [b]) !== undefined;
}

function quotedPart(part: string): string {
  return `"${part.replaceAll('"', '""')}"`;
}
