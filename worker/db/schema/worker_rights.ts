// The rights that a worker needs, and no others: granted to a role that owns nothing, so that what a worker is talked
// into, or its password gives away, is labels and not the database.

import { misconfigured, nameParts, type Query, quoted, type TicketsTable } from "../tickets_table.ts";

/** What workers do with Ackpool's own tables. */
export const OWN_RIGHTS: Readonly<Record<string, readonly string[]>> = {
  labels: ["select", "insert", "update", "delete"],
  fences: ["select", "insert", "update"],
  history: ["select", "insert"],
  spend: ["select", "insert", "update"],
  failed_calls: ["select", "insert", "update"],
  migrations: ["select"],
};

/** A role that workers connect as. */
export interface WorkerRole {
  readonly name: string;
  /** With it the role is made where there is none. */
  readonly password: string | undefined;
}

interface Right {
  /** What is granted, as `grant` has it: `select on ackpool.labels`. */
  readonly what: string;
  /** SQL that says whether the role has it. */
  readonly held: string;
}

/**
 * Grants what is missing, and answers what that was; where nothing is, no right to grant is needed.
 *
 * @throws {Error} with an SQLSTATE in `code`; 42704 where there is no such role and no password to make it with.
 */
export async function grantRights(
  query: Query,
  role: WorkerRole,
  table: TicketsTable,
): Promise<readonly string[]> {
  const made = await makeRole(query, role);
  const rights = [...ownRights(role.name), ...await tableRights(query, role.name, table)];
  const [row] = await query<{ held: boolean[] }>(
    `select to_json(array[${rights.map(({ held }) => held).join(", ")}]) as held`,
    [],
  );
  const missing = rights.filter((_, at) => row?.held[at] !== true);
  for (const { what } of missing) await query(`grant ${what} to ${identifier(role.name)}`, []);
  return [
    ...(made ? [`role ${role.name}`] : []),
    ...(missing.length === 0 ? [] : [`${missing.length} rights of ${role.name}`]),
  ];
}

async function makeRole(query: Query, { name, password }: WorkerRole): Promise<boolean> {
  if ((await query("select from pg_roles where rolname = $1", [name])).length > 0) return false;
  if (password === undefined) {
    throw misconfigured(
      "42704",
      `role ${name} is not there: set DATABASE_GRANT_PASSWORD to have it made, or make it yourself ` +
        `(create role ${identifier(name)} login password '…')`,
    );
  }
  await query(`create role ${identifier(name)} login password ${literal(password)}`, []);
  return true;
}

function ownRights(role: string): readonly Right[] {
  const tables = Object.entries(OWN_RIGHTS).flatMap(([name, rights]) =>
    rights.map((right) => onTable(role, `ackpool.${name}`, right))
  );
  return [onSchema(role, "ackpool"), ...tables];
}

/** A label and its time are written; the rest of a ticket is read at most. */
async function tableRights(query: Query, role: string, table: TicketsTable): Promise<readonly Right[]> {
  const name = quoted(table.name);
  const [row] = await query<{ schema: string; columns: string[] }>(
    `select n.nspname::text as schema, array(select attname::text from pg_attribute a
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns
      from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = to_regclass($1)`,
    [name],
  );
  const written = [table.categoryColumn, table.classifiedAtColumn].map((column) =>
    nameParts(column)[0] ?? ""
  );
  const read = [nameParts(table.idColumn)[0] ?? "", ...written, "subject", "body"]
    .filter((column) => row?.columns.includes(column));
  const onColumn = (right: string) => (column: string): Right => ({
    what: `${right} (${identifier(column)}) on ${name}`,
    held: `has_column_privilege(${literal(role)}, ${literal(name)}, ${literal(column)}, '${right}')`,
  });
  return [
    onSchema(role, row?.schema ?? "public"),
    ...read.map(onColumn("select")),
    ...written.map(onColumn("update")),
  ];
}

function onSchema(role: string, schema: string): Right {
  return {
    what: `usage on schema ${identifier(schema)}`,
    held: `has_schema_privilege(${literal(role)}, ${literal(schema)}, 'usage')`,
  };
}

function onTable(role: string, table: string, right: string): Right {
  return {
    what: `${right} on ${table}`,
    held: `has_table_privilege(${literal(role)}, ${literal(table)}, '${right}')`,
  };
}

function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A string constant that means the same whatever standard_conforming_strings says. */
function literal(text: string): string {
  return `'${text.replaceAll("'", "''").replaceAll("\\", "\\\\")}'`.replace(
    /^'/,
    text.includes("\\") ? "E'" : "'",
  );
}
