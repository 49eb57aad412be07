// A file of tickets or standard input: its tickets, how many there are, and how much of it is read.

import type { AskedColumns } from "./ticket_columns.ts";
import { readTickets } from "./ticket_format.ts";
import type { TicketLine } from "./ticket_line.ts";

/** Tickets that are being read. */
export interface TicketFile {
  readonly lines: AsyncIterable<TicketLine>;
  /** From 0 to 1; undefined where the end is not known. */
  readonly progress: () => number | undefined;
  /** How many there are; undefined where counting would take long. */
  readonly total?: number;
}

/** Files up to so many bytes are read twice, the first time to count. */
const COUNTED_BYTES_MAX = 32 * 1024 * 1024;

/**
 * Opens a file, or standard input for `-`.
 *
 * @throws {Deno.errors.NotFound}
 * @throws {UsageError | StartError} when it is no table of tickets.
 */
export async function openTickets(path: string, asked: AskedColumns): Promise<TicketFile> {
  if (path === "-") return reading(Deno.stdin.readable, path, asked, undefined);
  const { isFile, isDirectory, size } = await Deno.stat(path);
  if (isDirectory) throw new Error("it is a folder");
  const open = async () => (await Deno.open(path)).readable;
  const counted = isFile && size <= COUNTED_BYTES_MAX;
  const total = counted ? await count(readTickets(await open(), path, asked)) : undefined;
  const file = reading(await open(), path, asked, isFile && size > 0 ? size : undefined);
  return total === undefined ? file : { ...file, total };
}

async function count(lines: AsyncIterable<TicketLine>): Promise<number> {
  let total = 0;
  for await (const _ of lines) total++;
  return total;
}

function reading(
  bytes: ReadableStream<Uint8Array>,
  name: string,
  asked: AskedColumns,
  size: number | undefined,
): TicketFile {
  let read = 0;
  const counted = bytes.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform: (chunk, controller) => {
        read += chunk.length;
        controller.enqueue(chunk);
      },
    }),
  );
  return {
    lines: readTickets(counted, name, asked),
    progress: () => size === undefined ? undefined : Math.min(1, read / size),
  };
}
