// Structured logs through LogTape: one line a decision, JSON by default and readable on a terminal.

import { configureSync, getJsonLinesFormatter, type Logger, type LogLevel } from "@logtape/logtape";
import { getLogger } from "@logtape/logtape";
import { prettyFormatter } from "@logtape/pretty";

/** How much is told. */
export type Level = "debug" | "info" | "warning" | "error";

/** What the environment says about logs. */
export interface LogConfig {
  readonly level: Level;
  readonly format: "json" | "pretty";
}

const encoder = new TextEncoder();

/** Sends every logger of this process to standard output. Called once, by `main.ts`. */
export function configureLogs({ level, format }: LogConfig): void {
  const lines = format === "pretty" ? prettyFormatter : getJsonLinesFormatter({ properties: "flatten" });
  configureSync({
    reset: true,
    sinks: { stdout: (record) => writeAll(encoder.encode(lines(record))) },
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

function writeAll(bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length;) written += Deno.stdout.writeSync(bytes.subarray(written));
}
