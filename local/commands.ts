// The commands of the command line: the tasks of deno.json by group, and the flags of those that have some.

import { DLQ } from "../consumer/cli/dlq_arguments.ts";
import { DRAIN } from "../consumer/cli/drain_arguments.ts";
import { LAG } from "../consumer/cli/lag_arguments.ts";
import { PAUSE, POOL, RATE, RESUME } from "../consumer/cli/flow/flow_arguments.ts";
import { TAIL } from "../consumer/cli/live/tail_arguments.ts";
import { WHY } from "../consumer/cli/live/why_arguments.ts";
import denoJson from "../deno.json" with { type: "json" };
import type { Task } from "../shared/deno_task.ts";
import type { Program } from "../shared/process/command_line.ts";
import { MIGRATE } from "../worker/migrate_arguments.ts";
import { REPORT } from "../worker/report/arguments.ts";
import { DOCTOR } from "./doctor/arguments.ts";
import { EVAL } from "./eval/arguments.ts";
import { PRODUCE } from "./produce/arguments.ts";
import { START } from "./start/arguments.ts";

/** A command as the list of all shows it. */
export interface ListedCommand {
  readonly name: string;
  /** `START`, `PROGRAM`, `OPERATE`, `TEST` or `MEASURE`. */
  readonly group: string;
  readonly about: string;
}

/** Programs whose flags a shell completes: one line for each. */
export const WITH_FLAGS: readonly Program[] = [
  DLQ,
  DOCTOR,
  DRAIN,
  EVAL,
  LAG,
  MIGRATE,
  PAUSE,
  POOL,
  PRODUCE,
  RATE,
  REPORT,
  RESUME,
  START,
  TAIL,
  WHY,
];

/** Every task is a command; its description begins with its group. */
export const COMMANDS: readonly ListedCommand[] = Object.entries<Task>(denoJson.tasks).flatMap(
  ([name, task]) => {
    const [, group, about] =
      /^([A-Z]+): (.+)$/.exec(typeof task === "object" ? task.description ?? "" : "") ?? [];
    return name === "ackpool" || group === undefined || about === undefined ? [] : [{ name, group, about }];
  },
);
