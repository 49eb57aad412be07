// The labelled tickets of an evaluation out of the database: what people decided, with what their tickets say.

import { readVariables } from "../../shared/config/read.ts";
import { StartError } from "../../shared/process/start_error.ts";
import { ticketsTable } from "../../worker/config.ts";
import { Database } from "../../worker/db/database.ts";
import { PostgresReviewStore } from "../../worker/db/review_store.ts";
import { TableCatalog } from "../../worker/db/table_catalog.ts";
import type { JudgedTicket } from "./labelled_file.ts";

/** The latest ones are taken. */
const TICKETS_MAX = 5_000;

/**
 * Reads them from the database of DATABASE_URL.
 *
 * @throws {StartError} with what the database said.
 */
export async function overriddenTickets(
  env: (name: string) => string | undefined,
): Promise<readonly JudgedTicket[]> {
  const values = readVariables(["DATABASE_URL", "TICKETS_TABLE", "TICKETS_COLUMNS"], env);
  const database = new Database({ url: values.DATABASE_URL, statementTimeoutMs: 60_000, connectionsMax: 1 });
  try {
    const reviews = new PostgresReviewStore(new TableCatalog(database, ticketsTable(values)));
    const reviewed = await reviews.reviewed(TICKETS_MAX);
    if ("kind" in reviewed) throw new StartError(`The database could not be read: ${reviewed.detail}`);
    const texts = await reviews.texts(reviewed.overrides.map(({ ticketId }) => ticketId));
    if ("kind" in texts) throw new StartError(`The tickets could not be read: ${texts.detail}`);
    return reviewed.overrides.flatMap(({ ticketId, category }) => {
      const text = texts.get(ticketId);
      if (text === undefined) return [];
      return [{ subject: text.subject ?? "", body: text.body ?? "", category, language: undefined }];
    });
  } finally {
    await database.close();
  }
}
