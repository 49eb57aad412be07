// Output of a child process, line by line: our structured logs, librdkafka's, or plain text. Pure.

import { logSentence } from "../../shared/log_sentence.ts";

/** One line of a child. */
export type ChildLine =
  | {
    readonly kind: "event";
    readonly level: "debug" | "info" | "warning" | "error";
    /** The event's name: `listening`, `classified`. */
    readonly message: string;
    readonly properties: Readonly<Record<string, unknown>>;
  }
  | { readonly kind: "text"; readonly text: string };

const LEVELS: Readonly<Record<string, "debug" | "info" | "warning" | "error">> = {
  TRACE: "debug",
  DEBUG: "debug",
  INFO: "info",
  WARN: "warning",
  WARNING: "warning",
  ERROR: "error",
  FATAL: "error",
};

/** Reads one line of output. */
export function parseChildLine(line: string): ChildLine {
  const record = parseObject(line);
  const { level, message, fields, ...rest } = record ?? {};
  const known = typeof level === "string" ? LEVELS[level.toUpperCase()] : undefined;
  if (known === undefined) return { kind: "text", text: line };
  if (typeof message === "string") {
    return { kind: "event", level: known, message, properties: withoutFrame(rest) };
  }
  // kafka-crab-js prints librdkafka's log through Rust's `tracing`.
  const inner = isObject(fields) ? fields["message"] : undefined;
  if (typeof inner !== "string") return { kind: "text", text: line };
  return { kind: "event", level: known, message: inner, properties: {} };
}

/** An event as a person reads it: `model refused (status 401, cause "key")`; a cause as sentences. */
export function readable(line: ChildLine): string {
  if (line.kind === "text") return line.text;
  return logSentence(line.message, line.properties);
}

function withoutFrame(record: Record<string, unknown>): Record<string, unknown> {
  const { "@timestamp": _at, logger: _logger, ...properties } = record;
  return properties;
}

function parseObject(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    const value: unknown = JSON.parse(line);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
