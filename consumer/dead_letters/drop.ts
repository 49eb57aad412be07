// Drop: marks dead letters as done with. Kafka deletes them when their retention ends.

import type { DeadLetter } from "./letter.ts";
import { type Filter, onlyFollows } from "./filter.ts";
import { marksFor } from "./marks/marks.ts";
import type { DeadLetterPorts } from "./ports.ts";
import { scan } from "./scan.ts";

/** Marks in one transaction. */
const AT_ONCE = 5000;

/** What is asked for. */
export interface DropRequest {
  readonly filter: Filter;
  readonly max: number | undefined;
  readonly dryRun: boolean;
}

/** What was done. */
export interface DropSummary {
  readonly meant: number;
  readonly dropped: number;
  /** Open letters that are parked behind others that are meant: they stay, and so their keys stay parked. */
  readonly parked: number;
}

/** @throws {ProducerFenced} when another replay or drop of this group began. */
export async function drop(
  ports: DeadLetterPorts,
  { filter, max, dryRun }: DropRequest,
  signal: AbortSignal,
): Promise<DropSummary> {
  const sender = dryRun ? undefined : await ports.openSender();
  try {
    // What is parked is as good as any record: it is dropped only where it is meant itself.
    const kindOf = (letter: DeadLetter) => onlyFollows(filter, letter) ? "parked" as const : "meant" as const;
    const found = await scan(ports, { filter, kindOf }, signal);
    const meant = Math.min(max ?? Infinity, found.open("meant"));
    const parked = found.open("parked");
    if (sender === undefined) return { meant, dropped: 0, parked };
    let dropped = 0;
    for await (const page of found.pages(signal)) {
      const open = page.filter(({ state, letter }) => state === "open" && kindOf(letter) === "meant")
        .map(({ letter }) => letter);
      const letters = open.slice(0, meant - dropped);
      for (let from = 0; from < letters.length && !signal.aborted; from += AT_ONCE) {
        const some = letters.slice(from, from + AT_ONCE);
        await sender.send(marksFor("dropped", some));
        dropped += some.length;
      }
      if (dropped >= meant || signal.aborted) break;
    }
    return { meant, dropped, parked };
  } finally {
    await sender?.close();
  }
}
