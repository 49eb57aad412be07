// List: how many dead letters there are of each cause, and the newest of them.

import type { DeadLetter } from "./letter.ts";
import type { Filter } from "./filter.ts";
import type { DeadLetterPorts } from "./ports.ts";
import { type Found, scan } from "./scan.ts";
import type { RecordPosition } from "../records/position.ts";
import { causeText } from "../records/letter_cause.ts";

/** What is asked for. */
export interface ListRequest {
  readonly filter: Filter;
  /** Those that were replayed or dropped, too. */
  readonly all: boolean;
  /** So many of the newest. */
  readonly limit: number;
}

/** Dead letters of one cause; times in ms since the epoch. */
export interface CauseGroup {
  readonly cause: string;
  readonly count: number;
  /** How many of them are parked behind the others. */
  readonly parked: number;
  readonly oldestMs: number;
  readonly newestMs: number;
  /** The newest of them. */
  readonly example: RecordPosition;
}

/** How many dead letters there are of each cause, and the newest of them. */
export interface Listing {
  /** Dead letters there are, in whatever state and whether meant or not. */
  readonly total: number;
  readonly meant: number;
  /** The most frequent first. */
  readonly causes: readonly CauseGroup[];
  /** The newest first. */
  readonly newest: readonly Found[];
}

type Mutable<T> = { -readonly [Field in keyof T]: T[Field] };

/** Causes are told apart up to this number; those that come later are counted together. */
const CAUSES_MAX = 1000;
const OTHER_CAUSES = "other causes";

/** Lists. Memory is bounded, however many dead letters there are. */
export async function list(
  ports: DeadLetterPorts,
  { filter, all, limit }: ListRequest,
  signal?: AbortSignal,
): Promise<Listing> {
  const found = await scan(ports, { filter, kindOf: () => "meant" }, signal);
  const groups = new Map<string, Mutable<Omit<CauseGroup, "cause">>>();
  let newest: readonly Found[] = [];
  let meant = 0;
  for await (const page of found.pages(signal)) {
    const shown = page.filter(({ state }) => all || state === "open");
    meant += shown.length;
    for (const { letter } of shown) count(groups, letter);
    newest = [...newest, ...shown].sort(newestFirst).slice(0, limit);
  }
  const causes = Array.from(groups, ([cause, group]) => ({ cause, ...group }));
  return { total: found.total, meant, causes: causes.sort(mostFrequentFirst), newest };
}

function count(
  groups: Map<string, Mutable<Omit<CauseGroup, "cause">>>,
  letter: DeadLetter,
): void {
  const { atMs, behind } = letter;
  const own = causeText(letter.cause);
  const cause = groups.has(own) || groups.size < CAUSES_MAX ? own : OTHER_CAUSES;
  const group = groups.get(cause) ??
    { count: 0, parked: 0, oldestMs: Infinity, newestMs: -Infinity, example: positionOf(letter) };
  group.count += 1;
  if (behind !== undefined) group.parked += 1;
  group.oldestMs = Math.min(group.oldestMs, atMs);
  if (atMs >= group.newestMs) group.example = positionOf(letter);
  group.newestMs = Math.max(group.newestMs, atMs);
  groups.set(cause, group);
}

const positionOf = ({ topic, partition, offset }: DeadLetter) => ({ topic, partition, offset });

const newestFirst = ({ letter: a }: Found, { letter: b }: Found) => b.atMs - a.atMs || b.offset - a.offset;
const mostFrequentFirst = (a: CauseGroup, b: CauseGroup) => b.count - a.count || b.newestMs - a.newestMs;
