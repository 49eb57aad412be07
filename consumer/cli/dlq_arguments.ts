// DlqCommand: what `deno task dlq` is asked for on its command line. Pure.

import { parseFlags, type Program, UsageError } from "../../shared/process/command_line.ts";
import { nearest } from "../../shared/nearest.ts";
import { parseSpan } from "./time_span.ts";
import type { DropRequest } from "../dead_letters/drop.ts";
import { type Filter, isKnownStatus } from "../dead_letters/filter.ts";
import type { ReplayRequest } from "../dead_letters/replay/request.ts";
import type { RecordPosition } from "../records/position.ts";

/** One command. */
export type DlqCommand =
  | { readonly name: "help" }
  | {
    readonly name: "list";
    readonly filter: Filter;
    readonly all: boolean;
    readonly limit: number;
    readonly json: boolean;
    /** Records that no secret proves are believed, too. */
    readonly unsigned: boolean;
  }
  | { readonly name: "show"; readonly at: string; readonly json: boolean; readonly unsigned: boolean }
  | {
    readonly name: "replay";
    readonly request: ReplayRequest;
    readonly json: boolean;
    readonly unsigned: boolean;
  }
  | {
    readonly name: "drop";
    readonly request: DropRequest;
    readonly json: boolean;
    readonly unsigned: boolean;
  }
  | RecordPosition & {
    readonly name: "take";
    /** Base URLs of the consumers' admin ports; undefined: the one of this machine. */
    readonly admins: readonly string[] | undefined;
  }
  | { readonly name: "allow"; readonly count: number; readonly admins: readonly string[] | undefined };

const COMMANDS = ["list", "show", "replay", "drop", "take", "allow"];

/** The program, as its help shows it. */
export const DLQ = {
  task: "dlq",
  usage: "Looks at the dead letters of a group, and sends them through again.",
  takesArguments: true,
  words: "list | show | replay | drop | take | allow",
  options: {
    status: { type: "string", value: "422,5xx,timeout", about: "which: what the last attempt came to" },
    since: {
      type: "string",
      value: "2h",
      about: "which: dead-lettered after a date, or less than a time ago",
    },
    until: {
      type: "string",
      value: "DATE",
      about: "which: dead-lettered before a date, or longer than a time ago",
    },
    key: { type: "string", value: "KEY", about: "which: the record's key, in full" },
    grep: { type: "string", value: "TEXT", about: "which: text that value, key or problem contains" },
    cause: { type: "string", value: "CAUSE", about: "which: the cause, in full, as list shows it" },
    at: {
      type: "string",
      multiple: true,
      value: "TOPIC/PART/OFFSET",
      about: "which: this one; may be given again",
    },
    everything: { type: "boolean", default: false, about: "replay, drop: all of them" },
    limit: { type: "string", default: "20", value: "N", about: "list: shows at most so many" },
    all: { type: "boolean", default: false, about: "list: also those that were replayed or dropped" },
    rate: { type: "string", value: "N", about: "replay: at most so many a second" },
    max: { type: "string", value: "N", about: "replay, drop: at most so many" },
    canary: {
      type: "string",
      default: "0",
      value: "N",
      about: "replay: sends so many first, and the rest only when these have settled",
    },
    "canary-timeout": {
      type: "string",
      default: "10m",
      value: "TIME",
      about: "replay: how long to wait for the canaries",
    },
    "replays-max": {
      type: "string",
      value: "N",
      about: "replay: leaves out what was replayed so often already",
    },
    "dry-run": {
      type: "boolean",
      default: false,
      about: "replay, drop: changes nothing, only says what would be done",
    },
    admin: {
      type: "string",
      multiple: true,
      value: "URL",
      about: "take, allow: a consumer's admin address, such as http://host:8080; may be given again",
    },
    unsigned: {
      type: "boolean",
      default: false,
      about: "list, show, replay, drop: trusts also letters without a valid signature (DEAD_LETTER_SECRET)",
    },
    json: { type: "boolean", default: false, about: "for machines" },
  },
  examples: [
    ["dlq list", "by cause, then one by one, the newest first"],
    ["dlq show [TOPIC/]PART/OFFSET", "one of them with its value and headers"],
    ["dlq replay --status 5xx --canary 5", "sends them again, five first; only this group gets them"],
    ["dlq drop --since 2h", "marks them as dealt with; Kafka deletes them when their retention ends"],
    [
      "dlq take TOPIC/PART/OFFSET",
      "moves a record that never succeeds to the dead letters, so that others go on",
    ],
    ["dlq allow COUNT", "lets so many records be dead-lettered while a dead-letter-flood holds them"],
  ],
  notes: "To go on with a replay that was stopped or killed, give the same command again.",
} as const satisfies Program;

type Given = ReturnType<typeof read>["values"];

/**
 * Reads the command line.
 *
 * @param replaysMax where the command line does not say.
 * @throws {UsageError} with a message for people.
 */
export function parseDlqArguments(args: readonly string[], nowMs: number, replaysMax: number): DlqCommand {
  const { values, positionals: [name = "help", ...rest] } = read(args);
  if (name === "help") return { name: "help" };
  const { json, unsigned } = values;
  if (!["show", "take", "allow"].includes(name) && rest.length > 0) {
    throw new UsageError(`${name} takes no further words, but got: ${rest.join(" ")}`);
  }
  switch (name) {
    case "list":
      return {
        name,
        filter: filterOf(values, nowMs),
        all: values.all,
        limit: whole("--limit", values.limit),
        json,
        unsigned,
      };
    case "show":
      if (rest[0] === undefined || rest.length > 1) {
        throw new UsageError("show takes one [TOPIC/]PARTITION/OFFSET");
      }
      return { name, at: rest[0], json, unsigned };
    case "replay":
      return { name, request: replayOf(values, nowMs, replaysMax), json, unsigned };
    case "drop":
      return { name, request: { ...narrowed(values, nowMs), dryRun: values["dry-run"] }, json, unsigned };
    case "take":
      return { name, ...placeOf(rest), admins: values.admin };
    case "allow":
      if (rest.length !== 1) throw new UsageError("allow takes one COUNT");
      return { name, count: whole("COUNT", rest[0] ?? "", 1), admins: values.admin };
    default:
      throw new UsageError(noSuchCommand(name));
  }
}

function noSuchCommand(name: string): string {
  const near = nearest(name, COMMANDS);
  const meant = near === undefined ? "" : ` do you mean ${near}? There are`;
  return `There is no ${name}:${meant} ${COMMANDS.join(", ")}`;
}

/**
 * A point in time: a date, or how long ago.
 *
 * @throws {UsageError}
 */
export function parseTime(option: string, text: string, nowMs: number): number {
  const agoMs = parseSpan(text);
  if (agoMs !== undefined) return nowMs - agoMs;
  const at = /^\d{4}-/.test(text) ? Date.parse(text) : NaN;
  if (!Number.isNaN(at)) return at;
  throw new UsageError(
    `${option} is neither a date nor a time such as 90s, 15m, 2h, 7d: current value is "${text}"`,
  );
}

/** `TOPIC/PARTITION/OFFSET`, or the three of them apart. */
function placeOf(rest: readonly string[]): RecordPosition {
  const [, topic, partition, offset] = /^([^/]+)\/(\d{1,10})\/(\d{1,15})$/.exec(rest.join("/")) ?? [];
  if (topic === undefined || partition === undefined || offset === undefined) {
    throw new UsageError("take takes one TOPIC/PARTITION/OFFSET");
  }
  return { topic, partition: Number(partition), offset: Number(offset) };
}

function read(args: readonly string[]) {
  return parseFlags({ args, allowPositionals: true, options: DLQ.options });
}

function replayOf(values: Given, nowMs: number, replaysMax: number): ReplayRequest {
  const canaryTimeoutMs = parseSpan(values["canary-timeout"]);
  if (canaryTimeoutMs === undefined) {
    throw new UsageError(
      `--canary-timeout is no time such as 90s or 10m: current value is "${values["canary-timeout"]}"`,
    );
  }
  return {
    ...narrowed(values, nowMs),
    rate: values.rate === undefined ? undefined : whole("--rate", values.rate, 1),
    dryRun: values["dry-run"],
    canary: whole("--canary", values.canary),
    canaryTimeoutMs,
    replaysMax: values["replays-max"] === undefined
      ? replaysMax
      : whole("--replays-max", values["replays-max"], 1),
  };
}

/** Replay and drop change something, so nobody gets all of them for having forgotten the filter. */
function narrowed(values: Given, nowMs: number): { filter: Filter; max: number | undefined } {
  const filter = filterOf(values, nowMs);
  const max = values.max === undefined ? undefined : whole("--max", values.max, 1);
  const open = Object.keys(filter).length === 0 && !values.everything && !values["dry-run"];
  if (open) {
    throw new UsageError(
      "Say which dead letters are meant: by --status, --since, --until, --key, --grep, --cause or --at, or all of them by --everything",
    );
  }
  return { filter, max };
}

function filterOf(values: Given, nowMs: number): Filter {
  const { status, since, until, key, grep, cause, at } = values;
  return {
    ...(status === undefined ? {} : { statuses: statusesOf(status) }),
    ...(since === undefined ? {} : { sinceMs: parseTime("--since", since, nowMs) }),
    ...(until === undefined ? {} : { untilMs: parseTime("--until", until, nowMs) }),
    ...(key === undefined ? {} : { key }),
    ...(grep === undefined ? {} : { grep }),
    ...(cause === undefined ? {} : { cause }),
    ...(at === undefined ? {} : { positions: at }),
  };
}

function statusesOf(text: string): readonly string[] {
  const statuses = text.split(",").map((each) => each.trim());
  const wrong = statuses.find((each) => !isKnownStatus(each));
  if (wrong === undefined) return statuses;
  throw new UsageError(
    `--status takes words such as 422, 5xx, timeout, refused or reset: current value is ${
      JSON.stringify(wrong)
    }`,
  );
}

function whole(option: string, text: string, least = 0): number {
  if (/^\d{1,12}$/.test(text) && Number(text) >= least) return Number(text);
  throw new UsageError(`${option} is not a whole number from ${least} on: current value is "${text}"`);
}
