// The command line of `deno task produce`. Pure.

import { parseFlags, type Program, UsageError } from "../../shared/process/command_line.ts";
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

/** The program, as its help shows it. */
export const PRODUCE = {
  task: "produce",
  usage: "Sends tickets into the topic, where they are labelled.",
  takesArguments: true,
  words: "[FILE]",
  options: {
    insert: {
      type: "boolean",
      default: false,
      about: "also inserts their rows into TICKETS_TABLE, those not there",
    },
    id: { type: "string", value: "COLUMN", about: "the column of the ticket's id" },
    subject: { type: "string", value: "COLUMN", about: "the column of its subject" },
    body: { type: "string", value: "COLUMN", about: "the column of its text" },
    unlabelled: {
      type: "boolean",
      default: false,
      about: "sends the rows of TICKETS_TABLE that have no label",
    },
    outdated: {
      type: "boolean",
      default: false,
      about: "with --unlabelled: also rows that another model or taxonomy labelled",
    },
    json: { type: "boolean", default: false, about: "the summary as JSON" },
    home: { type: "string", value: "DIR", about: "where start keeps its things (.ackpool)" },
  },
  examples: [
    ["produce", "20 samples"],
    ["produce tickets.csv --insert", "an export: CSV with a header, a JSON array, or JSON Lines"],
    ["produce export.csv --insert --id 'Case Number' --subject Title --body Text", ""],
    ["produce -", "standard input"],
    ["produce --unlabelled", "rows that are there and have no label yet"],
  ],
  notes:
    `Without --id, --subject and --body the columns of common exports are known (id, number, key; subject, title,
summary; body, description, …). JSON Lines in our own spelling are sent as they are:
{"ticket_id": 17, "subject": "…", "body": "…"}

Goes to the broker and database of deno task start while that runs, or to KAFKA_BROKERS and DATABASE_URL.`,
} as const satisfies Program;

/**
 * Reads the command line.
 *
 * @throws {UsageError} with a message for people.
 */
export function parseProduceArguments(args: readonly string[]): ProduceArguments {
  const { values, positionals } = parseFlags({ args, allowPositionals: true, options: PRODUCE.options });
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
