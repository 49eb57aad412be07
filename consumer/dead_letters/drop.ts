// Drops dead letters: marks them as done with. Kafka deletes them when their time has come.

import type { Filter } from "./filter.ts";
import { marksFor } from "./marks.ts";
import type { DeskPorts } from "./ports.ts";
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
}

/** @throws {SenderSuperseded} when another replay or drop of this group began. */
export async function drop(
  ports: DeskPorts,
  { filter, max, dryRun }: DropRequest,
  signal: AbortSignal,
): Promise<DropSummary> {
  const sender = dryRun ? undefined : await ports.openSender();
  try {
    const found = await scan(ports, { filter, kindOf: () => "meant" as const }, signal);
    const meant = Math.min(max ?? Infinity, found.open("meant"));
    if (sender === undefined) return { meant, dropped: 0 };
    let dropped = 0;
    for await (const page of found.pages(signal)) {
      const open = page.filter(({ state }) => state === "open").map(({ letter }) => letter);
      const letters = open.slice(0, meant - dropped);
      for (let from = 0; from < letters.length && !signal.aborted; from += AT_ONCE) {
        const some = letters.slice(from, from + AT_ONCE);
        await sender.send(marksFor("dropped", some));
        dropped += some.length;
      }
      if (dropped >= meant || signal.aborted) break;
    }
    return { meant, dropped };
  } finally {
    await sender?.close();
  }
}
