// The checker reads a history and says what must not have happened, and what it cost. It shares no code with Ackpool.

import { type EventOf, type HistoryEvent, type Place, placeId } from "./events.ts";

/** What the checker has to know of a run. */
export interface Expectations {
  readonly taxonomy: readonly string[];
  /** Records of one ticket settle in the order they were produced in: `key` mode, with the ticket as key. */
  readonly ordered: boolean;
  /** Longest time without progress after the last fault is mended, in ms. */
  readonly stallMaxMs: number;
}

/** What must not be: its kind, and one sentence about the first of them. */
export interface Anomaly {
  readonly kind: AnomalyKind;
  readonly count: number;
  readonly example: string;
}

/** The kinds, each with a planted history in the tests. */
export type AnomalyKind =
  | "lost"
  | "duplicated effect"
  | "order broken"
  | "row went back"
  | "committed unsettled"
  | "label outside the taxonomy"
  | "unexplained call"
  | "unexplained redelivery"
  | "stall"
  | "nothing produced";

/** What a run cost. */
export interface Costs {
  readonly records: number;
  readonly faults: number;
  readonly callsPerTicket: number;
  readonly redeliveriesPerFault: number;
  readonly deadLetters: number;
  /** Longest time without progress after the last fault, in ms. */
  readonly stallMs: number;
}

/** What the checker says. */
export interface Verdict {
  readonly anomalies: readonly Anomaly[];
  readonly costs: Costs;
}

type Index = ReturnType<typeof indexOf>;

/** Reads a whole history. */
export function checkHistory(events: readonly HistoryEvent[], expected: Expectations): Verdict {
  const index = indexOf(events);
  const checks: readonly (readonly [AnomalyKind, readonly string[]])[] = [
    ["nothing produced", index.produced.length === 0 ? ["the history has no record"] : []],
    ["lost", lost(index)],
    ["duplicated effect", duplicatedEffects(index)],
    ["order broken", expected.ordered ? brokenOrder(index) : []],
    ["row went back", rowsGoneBack(index)],
    ["committed unsettled", committedUnsettled(index)],
    ["label outside the taxonomy", foreignLabels(index, expected.taxonomy)],
    ["unexplained call", unexplainedCalls(index)],
    ["unexplained redelivery", unexplainedRedeliveries(index)],
    ["stall", stalls(index, expected.stallMaxMs)],
  ];
  const anomalies = checks.flatMap(([kind, found]) =>
    found[0] === undefined ? [] : [{ kind, count: found.length, example: found[0] }]
  );
  return { anomalies, costs: costsOf(index) };
}

function indexOf(events: readonly HistoryEvent[]) {
  const inOrder = events.toSorted((a, b) => a.at - b.at);
  const of = <T extends HistoryEvent["type"]>(type: T) =>
    inOrder.filter((event): event is EventOf<T> => event.type === type);
  const produced = of("produced");
  const rows = of("row");
  const letters = of("dead_letter");
  const answered = of("answered");
  /** When each record was settled first: a 2xx, or a dead letter. */
  const settledAt = new Map<string, number>();
  const settles = [...answered.filter(({ status }) => status >= 200 && status < 300), ...letters];
  for (const { place, at } of settles) {
    const id = placeId(place);
    settledAt.set(id, Math.min(at, settledAt.get(id) ?? Infinity));
  }
  const faults = of("fault");
  const mended = of("mended");
  return {
    produced,
    rows,
    letters,
    answered,
    settledAt,
    faults,
    mended,
    sent: of("sent"),
    asked: of("asked"),
    committed: of("committed"),
    rowsOf: Map.groupBy(rows, ({ ticket }) => ticket),
    lastTroubleMs: Math.max(0, ...faults.map(({ at }) => at), ...mended.map(({ at }) => at)),
  };
}

/** A record that came to nothing: its ticket has no row, and it has no dead letter. */
function lost({ produced, rowsOf, letters }: Index): string[] {
  const dead = new Set(letters.map(({ place }) => placeId(place)));
  return produced.filter(({ ticket, place }) => !rowsOf.has(ticket) && !dead.has(placeId(place)))
    .map(({ ticket, place }) =>
      `ticket ${ticket} of ${placeId(place)} has neither a label nor a dead letter`
    );
}

/** One event may write its ticket's row once. */
function duplicatedEffects({ rows }: Index): string[] {
  const written = new Set<string>();
  return rows.flatMap(({ ticket, place }) => {
    if (place === undefined) return [];
    const id = `ticket ${ticket} of ${placeId(place)}`;
    if (written.has(id)) return [`${id} was written twice`];
    written.add(id);
    return [];
  });
}

/** A record may be sent only when all earlier ones of its ticket are settled. */
function brokenOrder({ produced, sent, settledAt }: Index): string[] {
  const earlier = new Map<string, Place>();
  const last = new Map<string, Place>();
  for (const { ticket, place } of produced) {
    const before = last.get(`${ticket}/${place.partition}`);
    if (before !== undefined) earlier.set(placeId(place), before);
    last.set(`${ticket}/${place.partition}`, place);
  }
  return sent.flatMap(({ place, at }) => {
    const before = earlier.get(placeId(place));
    if (before === undefined || (settledAt.get(placeId(before)) ?? Infinity) <= at) return [];
    return [`${placeId(place)} was sent before ${placeId(before)} of the same ticket was settled`];
  });
}

/** In one partition a row's later version belongs to a later record. */
function rowsGoneBack({ rowsOf }: Index): string[] {
  return [...rowsOf].flatMap(([ticket, versions]) =>
    versions.flatMap(({ place }, index) => {
      const before = versions[index - 1]?.place;
      const same = place !== undefined && before?.topic === place.topic &&
        before.partition === place.partition;
      return same && place.offset < before.offset
        ? [`ticket ${ticket} went back from ${placeId(before)} to ${placeId(place)}`]
        : [];
    })
  );
}

/** What a commit calls settled must have been settled before it was read. */
function committedUnsettled({ produced, committed, settledAt }: Index): string[] {
  const of = Map.groupBy(produced, ({ place }) => `${place.topic}/${place.partition}`);
  const checkedTo = new Map<string, number>();
  return committed.flatMap(({ topic, partition, offset, settledAbove, at }) => {
    const id = `${topic}/${partition}`;
    const from = checkedTo.get(id) ?? 0;
    checkedTo.set(id, Math.max(from, offset));
    const covered = (of.get(id) ?? []).filter(({ place }) =>
      (place.offset >= from && place.offset < offset) ||
      settledAbove.some(([first, last]) => place.offset >= first && place.offset <= last)
    );
    return covered.filter(({ place }) => (settledAt.get(placeId(place)) ?? Infinity) > at)
      .map(({ place }) => `${placeId(place)} was committed and not settled`);
  });
}

function foreignLabels({ rows }: Index, taxonomy: readonly string[]): string[] {
  return rows.filter(({ category }) => !taxonomy.includes(category))
    .map(({ ticket, category }) => `ticket ${ticket} is labelled "${category}"`);
}

/** A ticket is asked about once a record, and once more for each fault that may have lost an answer. */
function unexplainedCalls({ asked, produced, faults }: Index): string[] {
  const records = Map.groupBy(produced, ({ ticket }) => ticket);
  const calls = Map.groupBy(asked.filter(({ answered }) => answered), ({ ticket }) => ticket);
  return [...calls].filter(([ticket, of]) => {
    const [first, last] = [of[0]?.at ?? 0, of.at(-1)?.at ?? 0];
    const meanwhile = faults.filter(({ at }) => at >= first - FAULT_REACH_MS && at <= last).length;
    return of.length > (records.get(ticket)?.length ?? 0) + meanwhile;
  }).map(([ticket, of]) => `ticket ${ticket} was paid for ${of.length} times`);
}

/** A fault may show this much later: sessions, leases and time limits have to run out first, in ms. */
const FAULT_REACH_MS = 60_000;

/** Settled this long before a fault, a record is in a commit, in ms. */
const COMMITTED_AFTER_MS = 10_000;

/** A record that was settled is sent again only in or after a fault that came before its commit, and soon after it. */
function unexplainedRedeliveries({ sent, settledAt, faults, mended }: Index): string[] {
  const troubles = faults.map(({ kind, at }) => {
    const end = mended.find((each) => each.kind === kind && each.at >= at)?.at ?? at;
    return { from: at, to: end };
  });
  return sent.filter(({ place, at }) => {
    const settled = settledAt.get(placeId(place));
    if (settled === undefined || at <= settled) return false;
    const from = Math.max(settled - COMMITTED_AFTER_MS, at - FAULT_REACH_MS);
    return !troubles.some((trouble) => trouble.to >= from && trouble.from <= at);
  }).map(({ place }) => `${placeId(place)} was sent again after it had been settled, and nothing was broken`);
}

function stalls(index: Index, maxMs: number): string[] {
  const ms = stallOf(index);
  return ms > maxMs ? [`nothing was settled for ${ms} ms after the last fault`] : [];
}

/** The longest time without a settled record between the last fault and the end of all records. */
function stallOf({ settledAt, lastTroubleMs, produced, faults }: Index): number {
  if (faults.length === 0 || produced.length === 0) return 0;
  const times = [
    lastTroubleMs,
    ...[...settledAt.values()].filter((at) => at > lastTroubleMs).sort((a, b) => a - b),
  ];
  return Math.max(0, ...times.slice(1).map((at, index) => at - (times[index] ?? at)));
}

function costsOf(index: Index): Costs {
  const { produced, faults, asked, sent, settledAt, letters } = index;
  const tickets = new Set(produced.map(({ ticket }) => ticket)).size;
  const again = sent.filter(({ place, at }) => (settledAt.get(placeId(place)) ?? Infinity) < at).length;
  return {
    records: produced.length,
    faults: faults.length,
    callsPerTicket: tickets === 0 ? 0 : asked.filter(({ answered }) => answered).length / tickets,
    redeliveriesPerFault: faults.length === 0 ? again : again / faults.length,
    deadLetters: letters.length,
    stallMs: stallOf(index),
  };
}
