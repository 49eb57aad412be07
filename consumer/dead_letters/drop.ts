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
    const open = (await scan(ports, filter, signal)).found.filter(({ state }) => state === "open");
    const letters = open.map(({ letter }) => letter).slice(0, max);
    if (sender === undefined) return { meant: letters.length, dropped: 0 };
    let dropped = 0;
    while (dropped < letters.length && !signal.aborted) {
      const some = letters.slice(dropped, dropped + AT_ONCE);
      await sender.send(marksFor("dropped", some));
      dropped += some.length;
    }
    return { meant: letters.length, dropped };
  } finally {
    await sender?.close();
  }
}
