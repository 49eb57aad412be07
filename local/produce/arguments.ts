// The command line of `deno task produce`. Pure.

import { parseFlags, UsageError } from "../../shared/process/command_line.ts";

/** The command line of `deno task produce`. */
export interface ProduceArguments {
  /** A path, `-` for standard input, undefined for the samples. */
  readonly file: string | undefined;
  readonly insert: boolean;
  readonly json: boolean;
  /** Folder that `start` keeps its things in. */
  readonly home: string | undefined;
}

/** The text of `--help`. */
export const PRODUCE_USAGE =
  `Puts tickets into the topic, one JSON object a line: {"ticket_id": 17, "subject": "…", "body": "…"}

  deno task produce [FILE.jsonl | -]   without a file: 20 samples

  --insert   also inserts their rows into the table tickets, those that are not there
  --json     the summary as JSON
  --home DIR where deno task start keeps its things (.ackpool)

Goes to the broker and database of deno task start while that runs, or to KAFKA_BROKERS and DATABASE_URL.
`;

/**
 * Reads the command line.
 *
 * @throws {UsageError} with a message for people.
 */
export function parseProduceArguments(args: readonly string[]): ProduceArguments {
  const { values, positionals } = parseFlags({
    args: [...args],
    allowPositionals: true,
    options: {
      insert: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      home: { type: "string" },
    },
  });
  if (positionals.length > 1) throw new UsageError(`More than one file: ${positionals.join(", ")}`);
  const { insert, json, home } = values;
  return { file: positionals[0], insert, json, home };
}
