// The command line of `deno task doctor`.

import type { Program } from "../../shared/process/command_line.ts";

/** The program, as its help shows it. */
export const DOCTOR = {
  task: "doctor",
  usage: "Checks what the environment names before anything runs, and says what to do. It changes nothing.",
  takesArguments: true,
  options: {
    json: { type: "boolean", default: false, about: "for machines" },
    "no-model": { type: "boolean", about: "leaves out the one tiny completion, which costs a few tokens" },
  },
  examples: [["doctor", ""], ["doctor --json --no-model", "as a step of a deployment"]],
  notes:
    `Broker, topic, side topics, group and rights; database, schema and table; model; workers; clock; memory. What is
not configured is said to be embedded by start; beside a running start its parts are checked. Within 30 seconds.

Exit codes: 0 nothing is wrong (warnings may be), 1 something is.`,
} as const satisfies Program;
