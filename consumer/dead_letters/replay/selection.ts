// Selection: which dead letters a replay takes, and how many it leaves out for which reason.

import type { KafkaRecord } from "../../records/record.ts";
import { type Filter, matches } from "../filter.ts";
import type { DeadLetter } from "../letter.ts";
import type { DeadLetterPorts } from "../ports.ts";
import { type Scan, scan } from "../scan.ts";
import { firstThatStay, isBlocked, laneOf } from "./key_order.ts";
import type { ReplayRequest, ReplaySummary } from "./request.ts";

/** `meant` ones are replayed; the others say why they are not. */
type Kind = "meant" | "looping" | "blocked" | "foreign" | "incomplete";
type KindOf = (letter: DeadLetter) => Kind;

/** What the filter means, sorted. */
export interface Selection {
  readonly found: Scan<Kind>;
  readonly kindOf: KindOf;
  /** Parked ones are among them. */
  readonly parked: boolean;
}

/** Those that may be replayed: they say where they came from, are whole, and were not replayed too often. */
export function selectOpen(
  ports: DeadLetterPorts,
  { filter, replaysMax }: ReplayRequest,
  signal: AbortSignal,
): Promise<Selection> {
  return select(ports, filter, ({ origin, replays, isIncomplete }) => {
    if (origin === undefined) return "foreign";
    if (isIncomplete) return "incomplete";
    return replays < replaysMax ? "meant" : "looping";
  }, signal);
}

/** Those that were parked while the first letters of their keys were replayed; not those that came back. */
export function selectLate(ports: DeadLetterPorts, filter: Filter, signal: AbortSignal): Promise<Selection> {
  const isLate = ({ behind, replays, isIncomplete }: DeadLetter) =>
    behind !== undefined && replays === 0 && !isIncomplete;
  return select(ports, filter, (letter) => isLate(letter) ? "meant" : "looping", signal);
}

/** How many there are of each kind, `max` applied. */
export function countsOf(
  { found }: Selection,
  max: number | undefined,
): Pick<ReplaySummary, "meant" | "looping" | "blocked" | "foreign" | "incomplete"> {
  return {
    meant: Math.min(max ?? Infinity, found.open("meant")),
    looping: found.open("looping"),
    blocked: found.open("blocked"),
    foreign: found.open("foreign"),
    incomplete: found.open("incomplete"),
  };
}

/** One reading is enough unless parked letters are meant: those must not overtake earlier ones that stay. */
async function select(
  ports: DeadLetterPorts,
  filter: Filter,
  mayGo: KindOf,
  signal: AbortSignal,
): Promise<Selection> {
  const lanes = new Set<string>();
  const found = await scan(ports, {
    filter,
    kindOf: (letter) => {
      if (letter.behind !== undefined) lanes.add(laneOf(letter) ?? "");
      return mayGo(letter);
    },
  }, signal);
  if (lanes.size === 0) return { found, kindOf: mayGo, parked: false };
  const goes = (letter: DeadLetter, record: KafkaRecord) =>
    matches(filter, letter, record) && mayGo(letter) === "meant";
  const stays = await firstThatStay(ports, lanes, goes, signal);
  if (stays.size === 0) return { found, kindOf: mayGo, parked: true };
  const kindOf: KindOf = (letter) =>
    mayGo(letter) === "meant" && isBlocked(letter, stays) ? "blocked" : mayGo(letter);
  return { found: await scan(ports, { filter, kindOf }, signal), kindOf, parked: true };
}
