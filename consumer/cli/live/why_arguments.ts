// The command line of `deno task why`.

import type { Program } from "../../../shared/process/command_line.ts";

/** The program, as its help shows it. */
export const WHY = {
  task: "why",
  usage: "Says why records wait: asks running consumers for one sentence and eleven checks.",
  takesArguments: true,
  options: {
    admin: {
      type: "string",
      multiple: true,
      value: "URL",
      about:
        "a consumer's admin address, such as http://host:8080; may be given again, all of them are asked",
    },
    watch: { type: "boolean", default: false, about: "again every 2 s, until Ctrl-C" },
    json: { type: "boolean", default: false, about: "for machines; with --watch a line each time" },
  },
  examples: [["why", "once"], [
    "why --admin http://a:8080 --admin http://b:8080",
    "a group of two consumers",
  ]],
  notes:
    `Without --admin the consumer of the start that runs beside it is asked, or the one at ADMIN_PORT of this machine.
It ends with 0 where all goes on, 3 where something holds it up, 1 where a consumer does not answer.`,
} as const satisfies Program;
