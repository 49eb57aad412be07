// The command line of `deno task migrate`.

import type { Program } from "../shared/process/command_line.ts";

/** The program, as its help shows it. */
export const MIGRATE = {
  task: "migrate",
  usage: "Brings the database up to date, and says what it did. It may run again at any time.",
  takesArguments: true,
  options: {
    "text-ids": {
      type: "boolean",
      default: false,
      about: "where the tickets table is made: ids are text, not bigint",
    },
    "grant": {
      type: "string",
      value: "ROLE",
      about: "gives ROLE what a worker needs and no more; makes it where DATABASE_GRANT_PASSWORD is set",
    },
  },
  examples: [
    ["migrate", "with DATABASE_URL set"],
    ["migrate --grant ackpool_worker", "for workers that do not own the database"],
  ],
  notes: "docs/configuration.md has TICKETS_TABLE and TICKETS_COLUMNS.",
} as const satisfies Program;
