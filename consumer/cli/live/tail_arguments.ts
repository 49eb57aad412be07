// The command line of `deno task tail`.

import type { Program } from "../../../shared/process/command_line.ts";

/** The program, as its help shows it. */
export const TAIL = {
  task: "tail",
  usage: "Shows live what becomes of each record: settled, retried or dead-lettered.",
  takesArguments: true,
  options: {
    admin: {
      type: "string",
      multiple: true,
      value: "URL",
      about:
        "a consumer's admin address, such as http://host:8080; may be given again, all of them are followed",
    },
    kind: { type: "string", value: "KINDS", about: "only these: settled,retrying,dead-lettered" },
    topic: { type: "string", value: "TOPIC", about: "only records of this topic" },
    partition: { type: "string", value: "NUMBER", about: "only records of this partition" },
    status: {
      type: "string",
      value: "STATUS",
      about: "only these last answers: 422, 503, timeout",
    },
    json: { type: "boolean", default: false, about: "for machines: a line of JSON each" },
  },
  examples: [
    ["tail --kind retrying,dead-lettered", "what failed"],
    ["tail --status 422 --json", "for a program"],
  ],
  notes:
    `Ctrl-C ends it. Where more comes than can be shown, lines are left out, and their number is printed.`,
} as const satisfies Program;
