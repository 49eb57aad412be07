// Ribbon: a partition's records from the watermark to its end, drawn as at most 120 cells.

import type { DeliveryState } from "../core/delivery.ts";
import type { PartitionView } from "../core/view.ts";

/** What a cell stands for: the one that most wants to be seen of all in it. */
export type CellState = "settled" | "in-flight" | "ready" | "waiting" | "dead" | "unread";

/** Cells beside each other that are alike, as a share of the whole from 0 to 1. */
export interface RibbonPart {
  readonly state: CellState;
  readonly from: number;
  readonly to: number;
}

/** Offsets `first` to `end`, `end` not included. */
export interface Ribbon {
  readonly first: number;
  readonly end: number;
  readonly parts: readonly RibbonPart[];
}

const CELLS = 120;

const CELL_OF: Readonly<Record<DeliveryState, CellState>> = {
  ready: "ready",
  in_flight: "in-flight",
  judging: "waiting",
  waiting: "waiting",
  dead_lettering: "dead",
  settled: "settled",
  dropped: "settled",
};

/** The later one covers the earlier where both fall into one cell. */
const RANK: Readonly<Record<CellState, number>> = {
  unread: 0,
  settled: 1,
  ready: 2,
  "in-flight": 3,
  waiting: 4,
  dead: 5,
};

/** Draws what the partition's view knows; empty where everything is settled. */
export function ribbonOf(view: Pick<PartitionView, "watermark" | "position" | "end" | "spans">): Ribbon {
  const first = view.watermark;
  const end = Math.max(view.end, view.position);
  const offsets = end - first;
  if (offsets <= 0) return { first, end, parts: [] };
  const count = Math.min(CELLS, offsets);
  const cells: CellState[] = Array.from({ length: count }, () => "unread");
  for (const span of view.spans) {
    const state = CELL_OF[span.state];
    const to = Math.floor((span.last - first) * count / offsets);
    for (let cell = Math.floor((span.first - first) * count / offsets); cell <= to; cell++) {
      if (RANK[state] > RANK[cells[cell] ?? "dead"]) cells[cell] = state;
    }
  }
  return { first, end, parts: joined(cells) };
}

function joined(cells: readonly CellState[]): readonly RibbonPart[] {
  const parts: RibbonPart[] = [];
  cells.forEach((state, index) => {
    const last = parts.at(-1);
    const to = (index + 1) / cells.length;
    if (last?.state === state) parts[parts.length - 1] = { ...last, to };
    else parts.push({ state, from: index / cells.length, to });
  });
  return parts;
}
