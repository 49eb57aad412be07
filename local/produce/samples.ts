// Sample tickets written for this project: what `start` sends, and `produce` without a file.

import { parseTicketLine, type TicketLine } from "./tickets/ticket_line.ts";

const FILE = new URL("./samples.jsonl", import.meta.url);

/** The samples with ids counted up from `firstId`, or without ids: then they are classified and nothing is written. */
export async function sampleTickets(firstId: number | undefined): Promise<TicketLine[]> {
  const lines = (await Deno.readTextFile(FILE)).split("\n").filter((line) => line.trim() !== "");
  return lines.flatMap((text, at) => {
    const id = firstId === undefined ? {} : { ticket_id: firstId + at };
    return parseTicketLine(at + 1, JSON.stringify({ ...id, ...JSON.parse(text) })) ?? [];
  });
}
