// Tickets read from a file or standard input, and how much of it is read.

import { linesOf } from "../processes/lines.ts";
import { parseTicketLine, type TicketLine } from "./ticket_line.ts";

/** Tickets that are being read. */
export interface TicketFile {
  readonly lines: AsyncIterable<TicketLine>;
  /** From 0 to 1; undefined where the end is not known. */
  readonly progress: () => number | undefined;
}

/**
 * Opens a file, or standard input for `-`.
 *
 * @throws {Deno.errors.NotFound}
 */
export async function openTickets(path: string): Promise<TicketFile> {
  if (path === "-") return reading(Deno.stdin.readable, undefined);
  const file = await Deno.open(path);
  const { isFile, isDirectory, size } = await file.stat();
  if (isDirectory) {
    file.close();
    throw new Error("it is a folder");
  }
  return reading(file.readable, isFile && size > 0 ? size : undefined);
}

function reading(bytes: ReadableStream<Uint8Array>, size: number | undefined): TicketFile {
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
    lines: ticketLines(counted),
    progress: () => size === undefined ? undefined : Math.min(1, read / size),
  };
}

async function* ticketLines(bytes: ReadableStream<Uint8Array>): AsyncGenerator<TicketLine> {
  let line = 0;
  for await (const text of linesOf(bytes)) {
    const parsed = parseTicketLine(++line, text);
    if (parsed !== undefined) yield parsed;
  }
}
