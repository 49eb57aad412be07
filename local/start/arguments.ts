// The command line of `deno task start`. Pure.

import { parseFlags, type Program } from "../../shared/process/command_line.ts";

/** The command line of `deno task start`. */
export interface StartArguments {
  readonly verbose: boolean;
  /** Feeds the samples, though there are tickets. */
  readonly samples: boolean;
  /** Folder for everything that `start` keeps. */
  readonly home: string | undefined;
}

/** The program, as its help shows it. */
export const START = {
  task: "start",
  usage: "Runs everything on this machine until Ctrl-C; what the environment does not name is embedded.",
  takesArguments: true,
  options: {
    samples: { type: "boolean", default: false, about: "sends the sample tickets again" },
    verbose: { type: "boolean", default: false, about: "shows every line of every process" },
    home: { type: "string", value: "DIR", about: "where the embedded Postgres keeps its files (.ackpool)" },
  },
  examples: [
    ["start", "the first time with 20 sample tickets"],
    ["produce tickets.csv --insert", "beside it: your own tickets"],
  ],
  notes: `KAFKA_BROKERS, DATABASE_URL, OPENAI_API_KEY or OPENAI_BASE_URL: yours in place of what is embedded.
Worker replicas come and go with the backlog: WORKER_MIN (0) to WORKER_MAX (10), none after WORKER_IDLE_MS (60000)
without work. It listens on 127.0.0.1; LISTEN_ADDRESS=0.0.0.0 lets other machines in.`,
} as const satisfies Program;

/**
 * Reads the command line.
 *
 * @throws {UsageError} with a message for people.
 */
export function parseStartArguments(args: readonly string[]): StartArguments {
  const { values } = parseFlags({ args, options: START.options });
  return { verbose: values.verbose, samples: values.samples, home: values.home };
}
