// The command lines of `pause`, `resume`, `rate` and `pool`.

import { type Program, UsageError } from "../../../shared/process/command_line.ts";

const options = {
  admin: {
    type: "string",
    multiple: true,
    value: "URL",
    about: "a consumer's admin address, such as http://host:8080; any one of the group; may be given again",
  },
  by: { type: "string", value: "NAME", about: "who does it, for the log and for those who ask why" },
  json: { type: "boolean", default: false, about: "prints the settings that hold then as JSON" },
} as const;

const NOTES =
  `It holds for the whole group, over restarts and rebalances. Without --admin the consumer of the start that runs
beside it is asked, or the one at ADMIN_PORT of this machine.`;

/** `deno task pause`. */
export const PAUSE = {
  task: "pause",
  usage: "Pauses everything, a topic or one partition: nothing new is sent, what is in flight is finished.",
  takesArguments: true,
  options,
  words: "[TOPIC[/PARTITION]]",
  examples: [["pause", "everything"], ["pause support-tickets/3 --by ann", "one partition"]],
  notes: NOTES,
} as const satisfies Program;

/** `deno task resume`. */
export const RESUME = {
  task: "resume",
  usage: "Goes on with what was paused.",
  takesArguments: true,
  options,
  words: "[TOPIC[/PARTITION]]",
  examples: [["resume", "everything"], ["resume support-tickets", "a topic with its partitions"]],
  notes: NOTES,
} as const satisfies Program;

/** `deno task rate`. */
export const RATE = {
  task: "rate",
  usage: "Shows or sets how many attempts a second the group makes.",
  takesArguments: true,
  options,
  words: "[NUMBER|none]",
  examples: [["rate", "shows it"], ["rate 50", "50 a second, all consumers together"], [
    "rate none",
    "what RATE_LIMIT says",
  ]],
  notes: NOTES,
} as const satisfies Program;

/** `deno task pool`. */
export const POOL = {
  task: "pool",
  usage: "Shows or sets how many attempts the group has at once.",
  takesArguments: true,
  options,
  words: "[NUMBER|none]",
  examples: [["pool", "shows it"], ["pool 40", "40, all consumers together"], [
    "pool none",
    "as many as the workers take",
  ]],
  notes: NOTES,
} as const satisfies Program;

/** What is asked of a consumer. */
export interface FlowRequest {
  readonly path: string;
  /** Undefined: it is only shown. */
  readonly body: Readonly<Record<string, unknown>> | undefined;
}

/**
 * The request that a command line means.
 *
 * @throws {UsageError} for a word that makes no sense.
 */
export function requestOf(task: string, words: readonly string[]): FlowRequest {
  const [word, ...others] = words;
  if (others.length > 0) throw new UsageError(`${task} takes one word, not ${JSON.stringify(others[0])}`);
  switch (task) {
    case "pause":
    case "resume":
      return { path: `/flow/${task}`, body: word === undefined ? {} : holdOf(word) };
    case "rate":
      return limitOf("/flow/rate", "recordsPerSecond", word, /^\d+(\.\d+)?$/);
    case "pool":
      return limitOf("/flow/pool", "permits", word, /^\d+$/);
    default:
      throw new UsageError(`There is no ${JSON.stringify(task)}: pause, resume, rate or pool`);
  }
}

function holdOf(word: string): FlowRequest["body"] {
  const [, topic, partition] = /^([\w.-]+)(?:\/(\d{1,10}))?$/.exec(word) ?? [];
  if (topic === undefined) throw new UsageError(`${JSON.stringify(word)} is not TOPIC or TOPIC/PARTITION`);
  return { topic, ...(partition === undefined ? {} : { partition: Number(partition) }) };
}

function limitOf(path: string, name: string, word: string | undefined, number: RegExp): FlowRequest {
  if (word === undefined) return { path: "/flow", body: undefined };
  if (word === "none") return { path, body: { [name]: null } };
  if (!number.test(word)) throw new UsageError(`${JSON.stringify(word)} is neither a number nor none`);
  return { path, body: { [name]: Number(word) } };
}
