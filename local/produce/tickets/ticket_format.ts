// The format of a file of tickets: JSON Lines, one JSON document, or CSV, recognised by how it begins.

import { parse } from "csv-parse";
import { pipeline, Readable } from "node:stream";
import { StartError } from "../../../shared/process/start_error.ts";
import { UsageError } from "../../../shared/process/command_line.ts";
import { decoded, linesOfText } from "../../processes/lines.ts";
import {
  type AskedColumns,
  columnsOf,
  flat,
  type Row,
  type TicketColumns,
  ticketOf,
} from "./ticket_columns.ts";
import { checkTicket, parseJson, parseTicketLine, type TicketLine } from "./ticket_line.ts";

type Format = "json_lines" | "json" | "csv";

/** What a name says about a file's format. */
const ENDINGS: readonly (readonly [RegExp, Format])[] = [
  [/\.(jsonl|ndjson)$/i, "json_lines"],
  [/\.(csv|tsv)$/i, "csv"],
];
/** A first line is looked for in as many characters. */
const BEGINNING_MAX = 1_000_000;

/**
 * The tickets of a file.
 *
 * @param name the file's name; its ending counts where it is known.
 * @throws {UsageError | StartError} while it is read, when it is no table of tickets.
 */
export async function* readTickets(
  bytes: AsyncIterable<Uint8Array>,
  name: string,
  asked: AskedColumns,
): AsyncGenerator<TicketLine> {
  const pieces = textOf(bytes);
  const beginning = await beginningOf(pieces);
  const text = joined(beginning, pieces);
  switch (ENDINGS.find(([ending]) => ending.test(name))?.[1] ?? formatOf(beginning)) {
    case "json_lines":
      return yield* jsonLines(text, asked);
    case "json":
      return yield* jsonDocument(text, asked);
    case "csv":
      return yield* csvRows(text, firstLine(beginning), asked);
  }
}

function formatOf(beginning: string): Format {
  const first = beginning.trimStart();
  if (first.startsWith("[")) return "json";
  if (!first.startsWith("{")) return "csv";
  const row = parseJson(firstLine(first));
  return row === undefined || rowsIn(row.value) !== undefined ? "json" : "json_lines";
}

async function* jsonLines(text: AsyncIterable<string>, asked: AskedColumns): AsyncGenerator<TicketLine> {
  const reader = new JsonRows(asked);
  let line = 0;
  for await (const raw of linesOfText(text)) {
    line++;
    const row = parseJson(raw)?.value;
    const read = isRow(row) ? reader.read(line, row, raw.trim()) : parseTicketLine(line, raw);
    if (read !== undefined) yield read;
  }
}

/** An array of tickets, or an object with one: what APIs answer. */
async function* jsonDocument(text: AsyncIterable<string>, asked: AskedColumns): AsyncGenerator<TicketLine> {
  const whole = (await Array.fromAsync(text)).join("");
  const document = parseJson(whole);
  if (document === undefined) {
    return yield* jsonLines(
      (async function* () {
        yield whole;
      })(),
      asked,
    );
  }
  const rows = Array.isArray(document.value) ? document.value : rowsIn(document.value) ?? [document.value];
  const reader = new JsonRows(asked);
  for (const [at, row] of rows.entries()) {
    yield isRow(row) ? reader.read(at + 1, row, JSON.stringify(row)) : checkTicket(at + 1, row);
  }
}

/** JSON objects as tickets: in our own spelling as they are, others by their columns. */
class JsonRows {
  #columns: TicketColumns | "our own" | undefined;

  constructor(private readonly asked: AskedColumns) {}

  read(line: number, row: Row, text: string): TicketLine {
    this.#columns ??= this.#columnsOf(row);
    return this.#columns === "our own"
      ? checkTicket(line, row, text)
      : checkTicket(line, ticketOf(flat(row), this.#columns));
  }

  #columnsOf(row: Row): TicketColumns | "our own" {
    const free = Object.keys(this.asked).length === 0;
    if (free && "ticket_id" in row) return "our own";
    try {
      return columnsOf(Object.keys(flat(row)), this.asked);
    } catch (error) {
      // A row that only lacks its id is one bad line, not a foreign table.
      if (free && error instanceof UsageError && "subject" in row && "body" in row) return "our own";
      throw error;
    }
  }
}

async function* csvRows(
  text: AsyncIterable<string>,
  header: string,
  asked: AskedColumns,
): AsyncGenerator<TicketLine> {
  const parser = parse({
    columns: (names: string[]) => names.map((name) => name.trim()),
    delimiter: delimiterOf(header),
    info: true,
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
  });
  // What ends one of the two ends the other; the error is thrown by the loop below.
  pipeline(Readable.from(text), parser, () => {});
  let columns: TicketColumns | undefined;
  let line = 2;
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: Row; info: { lines: number } }>) {
      columns ??= columnsOf(Object.keys(record), asked);
      yield checkTicket(line, ticketOf(record, columns));
      line = info.lines + 1;
    }
  } catch (error) {
    if (!(error instanceof Error && "code" in error && String(error.code).startsWith("CSV_"))) throw error;
    throw new StartError(`The CSV cannot be read: ${error.message}`);
  }
}

/** The sign that the header has most of. */
function delimiterOf(header: string): string {
  const count = (sign: string) => header.split(sign).length;
  return [",", ";", "\t"].reduce((best, sign) => count(sign) > count(best) ? sign : best);
}

/** The rows of an object that holds one list of objects: `{"tickets": [...]}`. */
function rowsIn(value: unknown): readonly unknown[] | undefined {
  if (!isRow(value)) return undefined;
  const lists = Object.values(value).filter((each): each is unknown[] =>
    Array.isArray(each) && each.some(isRow)
  );
  return lists.length === 1 && !("subject" in value) ? lists[0] : undefined;
}

function isRow(value: unknown): value is Row {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** UTF-8, or what Excel writes instead: UTF-16 with its mark, Windows-1252. */
async function* textOf(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const chunks = bytes[Symbol.asyncIterator]();
  const first = await chunks.next();
  if (first.done) return;
  const rest: AsyncIterable<Uint8Array> = { [Symbol.asyncIterator]: () => chunks };
  const all = (async function* () {
    yield first.value;
    yield* rest;
  })();
  yield* decoded(all, new TextDecoder(encodingOf(first.value)));
}

function encodingOf(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return "utf-16le";
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return "utf-16be";
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: true });
    return "utf-8";
  } catch {
    return "windows-1252";
  }
}

/** As much as has a whole line in it. */
async function beginningOf(pieces: AsyncIterator<string>): Promise<string> {
  let text = "";
  while (!text.trimStart().includes("\n") && text.length < BEGINNING_MAX) {
    const piece = await pieces.next();
    if (piece.done) break;
    text += piece.value;
  }
  return text;
}

function firstLine(text: string): string {
  return text.trimStart().split("\n", 1)[0] ?? "";
}

async function* joined(beginning: string, rest: AsyncIterable<string>): AsyncGenerator<string> {
  yield beginning;
  yield* rest;
}
