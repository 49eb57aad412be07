// The columns of a table of tickets: which one has the id, the subject and the body. Pure.

import { UsageError } from "../../../shared/process/command_line.ts";

/** One row of an export: CSV has text alone, JSON any values. */
export type Row = Readonly<Record<string, unknown>>;

/** The column of each field. */
export interface TicketColumns {
  readonly id: string;
  readonly subject: string;
  readonly body: string;
}

/** The columns that were named on the command line. */
export type AskedColumns = Partial<TicketColumns>;

/**
 * How we, Zendesk, Jira, GitHub, Freshdesk, HubSpot, Intercom, Help Scout, Salesforce and ServiceNow call them; the first
 * that is there counts.
 */
const KNOWN: Readonly<Record<keyof TicketColumns, readonly string[]>> = {
  id: [
    "ticketid",
    "issuekey",
    "casenumber",
    "ticketnumber",
    "conversationid",
    "conversationnumber",
    "recordid",
    "key",
    "number",
    "displayid",
    "id",
  ],
  subject: [
    "subject",
    "summary",
    "title",
    "shortdescription",
    "ticketname",
    "tickettitle",
    "ticketsubject",
    "conversationtitle",
    "conversationsubject",
    "name",
  ],
  body: [
    "body",
    "description",
    "ticketdescription",
    "descriptiontext",
    "conversationbody",
    "firstmessage",
    "message",
    "content",
    "text",
    "details",
  ],
};

/**
 * Finds the columns by the names that were asked for, or by those that common exports use.
 *
 * @throws {UsageError} naming each field whose column is not there.
 */
export function columnsOf(names: readonly string[], asked: AskedColumns): TicketColumns {
  const [id, subject, body] = (["id", "subject", "body"] as const).map((field) =>
    columnOf(field, names, asked[field])
  );
  if (id !== undefined && subject !== undefined && body !== undefined) return { id, subject, body };
  const missing = Object.entries({ id, subject, body }).filter(([, column]) => column === undefined);
  const flags = missing.map(([field]) => `--${field} COLUMN`).join(" ");
  const which = missing.map(([field]) => field).join(", ");
  // Lists of Zendesk and Freshdesk have no text unless it was asked for.
  const instead = body === undefined && subject !== undefined
    ? ` (--body "${subject}" where there is no other text)`
    : "";
  throw new UsageError(`No column for ${which} among ${names.join(", ")}: name it with ${flags}${instead}`);
}

function columnOf(field: keyof TicketColumns, names: readonly string[], asked: string | undefined) {
  if (asked !== undefined) {
    const found = names.find((name) => name === asked) ?? names.find((name) => plain(name) === plain(asked));
    if (found !== undefined) return found;
    throw new UsageError(`There is no column ${asked} (--${field}): there are ${names.join(", ")}`);
  }
  for (const spelling of [plain, (name: string) => plain(name.split(".").at(-1) ?? name)]) {
    for (const known of KNOWN[field]) {
      const found = names.find((name) => spelling(name) === known);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

/** `Short description` and `short_description` are one name. */
function plain(name: string): string {
  return name.toLowerCase().replace(/[^\p{L}\p{N}.]/gu, "");
}

/** The fields of a row as `ticket_id`, `subject` and `body`; what is not there is left out, numbers and null become text. */
export function ticketOf(row: Row, columns: TicketColumns): Row {
  const id = row[columns.id];
  return {
    ...(id === undefined || id === null || id === ""
      ? {}
      : { ticket_id: typeof id === "number" ? id : String(id) }),
    ...textOf("subject", row[columns.subject]),
    ...textOf("body", row[columns.body]),
  };
}

function textOf(field: "subject" | "body", value: unknown): Row {
  if (value === undefined) return {};
  return { [field]: value === null ? "" : typeof value === "object" ? JSON.stringify(value) : String(value) };
}

/** A row without nesting: `{fields: {summary}}` has the column `fields.summary`. */
export function flat(row: Row, prefix = ""): Row {
  return Object.assign(
    {},
    ...Object.entries(row).map(([name, value]) =>
      typeof value === "object" && value !== null && !Array.isArray(value)
        ? flat(value as Row, `${prefix}${name}.`)
        : { [`${prefix}${name}`]: value }
    ),
  );
}
