// The command line of `deno task produce`. Pure.

import { parseFlags, UsageError } from "../../shared/process/command_line.ts";
import type { AskedColumns } from "./tickets/ticket_columns.ts";

/** The command line of `deno task produce`. */
export interface ProduceArguments {
  /** A path, `-` for standard input, undefined for the samples. */
  readonly file: string | undefined;
  readonly columns: AskedColumns;
  readonly insert: boolean;
  /** Sends rows of the table without a label. */
  readonly unlabelled: boolean;
  /** Sends rows, too, whose label another model or taxonomy made. */
  readonly outdated: boolean;
  readonly json: boolean;
  /** Folder that `start` keeps its things in. */
  readonly home: string | undefined;
}

/** The text of `--help`. */
export const PRODUCE_USAGE = `Sends tickets into the topic, where they are labelled.

  deno task produce                               20 samples
  deno task produce tickets.csv --insert          an export: CSV with a header, a JSON array, or JSON Lines
  deno task produce export.csv --insert --id "Case Number" --subject Title --body Text
  … | deno task produce -                         standard input
  deno task produce --unlabelled                  rows of the tickets table that have no label yet

  --insert          also inserts their rows into the table tickets, those that are not there
  --id COLUMN       the columns by name; without these flags those of common exports are known
  --subject COLUMN  (ticket_id, id, number, key; subject, title, summary; body, description, …)
  --body COLUMN
  --unlabelled      sends the rows of TICKETS_TABLE that have no label, by their ids
  --outdated        with it: also those that another model or another taxonomy labelled
  --json            the summary as JSON
  --home DIR        where deno task start keeps its things (.ackpool)

Goes to the broker and database of deno task start while that runs, or to KAFKA_BROKERS and DATABASE_URL.
JSON Lines in our own spelling are sent as they are: {"ticket_id": 17, "subject": "…", "body": "…"}
`;

const OPTIONS = {
  id: { type: "string" },
  subject: { type: "string" },
  body: { type: "string" },
  insert: { type: "boolean", default: false },
  unlabelled: { type: "boolean", default: false },
  outdated: { type: "boolean", default: false },
  json: { type: "boolean", default: false },
  home: { type: "string" },
} as const;

/**
 * Reads the command line.
 *
 * @throws {UsageError} with a message for people.
 */
export function parseProduceArguments(args: readonly string[]): ProduceArguments {
  const { values, positionals } = parseFlags({ args: [...args], allowPositionals: true, options: OPTIONS });
  const { id, subject, body, insert, unlabelled, outdated, json, home } = values;
  const [file, ...others] = positionals;
  if (others.length > 0) throw new UsageError(`More than one file: ${positionals.join(", ")}`);
  const columns = {
    ...(id === undefined ? {} : { id }),
    ...(subject === undefined ? {} : { subject }),
    ...(body === undefined ? {} : { body }),
  };
  if (unlabelled && (file !== undefined || insert || Object.keys(columns).length > 0)) {
    throw new UsageError(
      "--unlabelled sends rows that are there: it takes no file, no --insert and no columns",
    );
  }
  if (outdated && !unlabelled) throw new UsageError("--outdated goes with --unlabelled");
  if (file === undefined && Object.keys(columns).length > 0) {
    throw new UsageError("--id, --subject and --body name columns of a file: which file?");
  }
  return { file, columns, insert, unlabelled, outdated, json, home };
}
