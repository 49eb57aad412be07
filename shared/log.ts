// Structured logs through LogTape: one line a decision, JSON by default and readable on a terminal.

import {
  configureSync,
  getJsonLinesFormatter,
  type Logger,
  type LogLevel,
  type LogRecord,
} from "@logtape/logtape";
import { getLogger } from "@logtape/logtape";
import { printable } from "./printable.ts";
import { logSentence } from "./log_sentence.ts";

/** The least severe level that is logged. */
export type Level = "debug" | "info" | "warning" | "error";

/** What the environment says about logs. */
export interface LogConfig {
  readonly level: Level;
  readonly format: "json" | "pretty";
}

const encoder = new TextEncoder();

/**
 * Sends every logger of this process to standard output. Called once, by `main.ts`. With `together`, lines of one turn
 * of the event loop share a write: cheaper where there are thousands a second, and `kill -9` loses that turn's lines.
 */
export function configureLogs({ level, format }: LogConfig, together = false): void {
  const lines = format === "pretty" ? sentenceLine : jsonLine;
  const write = together ? sharedWrite() : (text: string) => writeAll(encoder.encode(text));
  configureSync({
    reset: true,
    sinks: { stdout: (record) => write(lines(record)) },
    loggers: [
      { category: "ackpool", lowestLevel: level as LogLevel, sinks: ["stdout"] },
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: ["stdout"] },
    ],
  });
}

/** The logger of one part, for example `logger("consumer")`. */
export function logger(part: string): Logger {
  return getLogger(["ackpool", part]);
}

const COLOURS: Readonly<Record<string, string>> = {
  warning: "\u001b[33m",
  error: "\u001b[31m",
  fatal: "\u001b[31m",
};

/** A line for people: `12:00:03 consumer: outage: Most attempts fail …`. Coloured unless `NO_COLOR` says otherwise. */
export function sentenceLine({ timestamp, level, message, category, properties }: LogRecord): string {
  const time = new Date(timestamp).toTimeString().slice(0, 8);
  const colour = Deno.noColor ? undefined : COLOURS[level];
  const text = printable(`${category.at(-1)}: ${logSentence(message.join(""), properties)}`);
  return `${time} ${colour === undefined ? text : `${colour}${text}\u001b[0m`}\n`;
}

const carefulJsonLine = getJsonLinesFormatter({ properties: "flatten" });

/** LogTape's own formatter calls a function for every value. Plain values, which nearly all of ours are, need none. */
export function jsonLine(record: LogRecord): string {
  const { timestamp, level, message, category, properties } = record;
  const [text, ...interpolated] = message;
  if (interpolated.length > 0 || !isPlain(text) || !Object.values(properties).every(isPlain)) {
    return carefulJsonLine(record);
  }
  const fields = {
    "@timestamp": new Date(timestamp).toISOString(),
    level: level === "warning" ? "WARN" : level.toUpperCase(),
    message: text,
    logger: category.join("."),
    ...properties,
  };
  return `${JSON.stringify(fields)}\n`;
}

/** JSON writes it as it is, and a terminal cannot take it for a command. */
function isPlain(value: unknown): boolean {
  switch (typeof value) {
    case "number":
    case "boolean":
    case "undefined":
      return true;
    case "string":
      return !/[\u007f-\u009f]/.test(value);
    default:
      return value === null;
  }
}

function sharedWrite(): (text: string) => void {
  let waiting = "";
  const flush = () => {
    const text = waiting;
    waiting = "";
    if (text !== "") writeAll(encoder.encode(text));
  };
  globalThis.addEventListener("unload", flush);
  return (text) => {
    if (waiting === "") setTimeout(flush);
    waiting += text;
  };
}

function writeAll(bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length;) written += Deno.stdout.writeSync(bytes.subarray(written));
}
