// The command line of `deno task lag`.

import type { Program } from "../../shared/process/command_line.ts";

/** The program, as its help shows it. */
export const LAG = {
  task: "lag",
  usage: "Shows how far the group KAFKA_GROUP_ID is behind on its topics and their retry topics.",
  takesArguments: true,
  options: {
    watch: { type: "boolean", default: false, about: "again every 2 s, until Ctrl-C" },
    json: { type: "boolean", default: false, about: "for machines; with --watch a line each time" },
  },
  examples: [["lag", "once"], ["lag --watch --json", "a line of JSON every 2 s"]],
  notes:
    `SETTLED-AHEAD counts records above CURRENT-OFFSET that are done already; OLDEST-AGE is that of the record at it.
HEAD is a record at CURRENT-OFFSET that was tried more than once, with its last answer, where a consumer says so
(ADMIN_PORT); it also says what holds it up, as deno task why does.`,
} as const satisfies Program;
