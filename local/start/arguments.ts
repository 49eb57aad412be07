// The command line of `deno task start`. Pure.

import { parseFlags } from "../../shared/process/command_line.ts";

/** The command line of `deno task start`. */
export interface StartArguments {
  readonly verbose: boolean;
  /** Feeds the samples, though there are tickets. */
  readonly samples: boolean;
  /** Folder for everything that `start` keeps. */
  readonly home: string | undefined;
}

/** The text of `--help`. */
export const START_USAGE = `Runs Ackpool on this machine. What these do not name is embedded:

  KAFKA_BROKERS                       your brokers
  DATABASE_URL                        your Postgres
  OPENAI_API_KEY, OPENAI_BASE_URL     your LLM

Worker replicas come and go with the backlog: WORKER_MIN (0) to WORKER_MAX (10), none after WORKER_IDLE_MS
(60000) without work. It listens on 127.0.0.1; LISTEN_ADDRESS=0.0.0.0 lets other machines in.

  deno task start              the first time with 20 sample tickets
  deno task produce FILE       beside it: your own tickets, CSV or JSON

  --samples  the sample tickets again
  --verbose  every line of every process
  --home DIR where the embedded Postgres keeps its files (.ackpool)
`;

/**
 * Reads the command line.
 *
 * @throws {UsageError} with a message for people.
 */
export function parseStartArguments(args: readonly string[]): StartArguments {
  const { values } = parseFlags({
    args: [...args],
    options: {
      verbose: { type: "boolean", default: false },
      samples: { type: "boolean", default: false },
      home: { type: "string" },
    },
  });
  return { verbose: values.verbose, samples: values.samples, home: values.home };
}
