// The command line of `deno task drain`.

import type { Program } from "../../shared/process/command_line.ts";

/** The program, as its help shows it. */
export const DRAIN = {
  task: "drain",
  usage: "Delivers what there is and ends: exit code 0 when nothing has come for IDLE_EXIT_MS (5000).",
  takesArguments: true,
  options: {
    every: {
      type: "string",
      value: "TIME",
      about: "repeats by itself: every 5m, or by a cron expression (local time zone)",
    },
    "no-overlap": { type: "boolean", about: "skips a run while the one before is still going" },
  },
  examples: [
    ["drain", "once, for cron or a Kubernetes CronJob"],
    ["drain --every 5m", ""],
    ["drain --every '*/5 * * * *' --no-overlap", ""],
  ],
  notes:
    `Runs that overlap, here or on other machines, share the group and so the work. Everything else is as with
deno task consumer. The admin side is off unless ADMIN_PORT is set, health unless HEALTH_PORT is.`,
} as const satisfies Program;
