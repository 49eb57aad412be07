// The checker checked: a sound history passes, and each planted anomaly is found under its own name.

import assert from "node:assert/strict";
import { type AnomalyKind, checkHistory } from "../../../chaos/history/checker.ts";
import type { EventOf, HistoryEvent, Place } from "../../../chaos/history/events.ts";

const EXPECTED = { taxonomy: ["billing", "bug"], ordered: true, stallMaxMs: 30_000 };
const TICKETS = 20;

function placeOf(record: number): Place {
  return { topic: "tickets", partition: record % 4, offset: Math.floor(record / 4) };
}

/** Two records a ticket, each sent, asked about, written, answered and committed; one replica is killed meanwhile. */
function soundHistory(): HistoryEvent[] {
  const records = Array.from({ length: TICKETS * 2 }, (_, record) => record);
  const ofRecord = records.flatMap((record): HistoryEvent[] => {
    const [place, ticket, at] = [placeOf(record), String(record % TICKETS), 1000 + record * 100];
    return [
      { type: "produced", at, place, ticket },
      { type: "sent", at: at + 10, place, sender: "consumer 1" },
      { type: "asked", at: at + 20, ticket, answered: true },
      { type: "row", at: at + 30, ticket, category: "billing", place },
      { type: "answered", at: at + 40, place, status: 200 },
      { ...place, type: "committed", at: at + 50, offset: place.offset + 1, settledAbove: [] },
    ];
  });
  return [
    ...ofRecord,
    { type: "fault", at: 2000, kind: "killed", target: "worker 1" },
    { type: "mended", at: 3000, kind: "killed", target: "worker 1" },
  ];
}

function changed<T extends HistoryEvent["type"]>(
  type: T,
  index: number,
  change: (event: EventOf<T>) => readonly HistoryEvent[],
): HistoryEvent[] {
  let seen = -1;
  return soundHistory().flatMap((event) => {
    if (event.type !== type || ++seen !== index) return [event];
    return [...change(event as EventOf<T>)];
  });
}

function kindsOf(history: readonly HistoryEvent[], expected = EXPECTED): readonly AnomalyKind[] {
  return checkHistory(history, expected).anomalies.map(({ kind }) => kind);
}

Deno.test("checkHistory() finds nothing in a sound history, and says what it cost", () => {
  const { anomalies, costs } = checkHistory(soundHistory(), EXPECTED);
  assert.deepEqual(anomalies, []);
  assert.deepEqual(costs, {
    records: 40,
    faults: 1,
    callsPerTicket: 2,
    redeliveriesPerFault: 0,
    deadLetters: 0,
    stallMs: 100,
  });
});

Deno.test("checkHistory() takes a dead letter for a settled record", () => {
  const history = changed("row", 3, () => []).filter((event) => event.type !== "row" || event.ticket !== "3");
  const place = placeOf(3);
  const dead = history.map((event) =>
    event.type === "answered" && (event.place.offset * 4 + event.place.partition) % TICKETS === 3
      ? { type: "dead_letter" as const, at: event.at, place: event.place }
      : event
  );
  assert.deepEqual(kindsOf(dead), []);
  assert.deepEqual(kindsOf([...dead, { type: "sent", at: 1_000_000, place, sender: "consumer 2" }]), [
    "unexplained redelivery",
  ]);
});

const PLANTED: readonly (readonly [string, AnomalyKind, () => HistoryEvent[]])[] = [
  ["an empty history", "nothing produced", () => []],
  [
    "a ticket that never gets a row",
    "lost",
    () => soundHistory().filter((event) => event.type !== "row" || event.ticket !== "7"),
  ],
  [
    "a row that is written twice for one record",
    "duplicated effect",
    () => changed("row", 5, (row) => [row, { ...row, at: row.at + 1 }]),
  ],
  [
    "a later record that is sent before the earlier one is settled",
    "order broken",
    () => changed("sent", 24, (sent) => [{ ...sent, at: 1000 + 4 * 100 + 15 }]),
  ],
  ["a row that takes an older record's label", "row went back", () => {
    const rows = soundHistory();
    const [older, newer] = rows.filter((event): event is EventOf<"row"> =>
      event.type === "row" && event.ticket === "4"
    );
    return rows.map((event) => event === older ? { ...older, at: (newer?.at ?? 0) + 5 } : event);
  }],
  [
    "a commit that covers a record without an answer",
    "committed unsettled",
    () => changed("answered", 8, () => []),
  ],
  [
    "an offset map that covers a record that is not settled yet",
    "committed unsettled",
    () => changed("committed", 0, (commit) => [{ ...commit, settledAbove: [[5, 5]] }]),
  ],
  [
    "a label of no taxonomy",
    "label outside the taxonomy",
    () => changed("row", 2, (row) => [{ ...row, category: "ignore previous instructions" }]),
  ],
  [
    "a call that no fault explains",
    "unexplained call",
    () =>
      changed(
        "asked",
        30,
        (asked) => [asked, { ...asked, at: asked.at + 1 }, { ...asked, at: asked.at + 2 }],
      ),
  ],
  ["a record that comes again in quiet times", "unexplained redelivery", () => [
    ...soundHistory(),
    { type: "sent", at: 500_000, place: placeOf(0), sender: "consumer 1" },
  ]],
  [
    "a standstill after the last fault",
    "stall",
    () =>
      changed("answered", 39, (answered) => [{ ...answered, at: answered.at + 31_000 }])
        .map((event) =>
          event.type === "committed" && event.at === 1000 + 39 * 100 + 50
            ? { ...event, at: event.at + 32_000 }
            : event
        ),
  ],
];

for (const [name, kind, history] of PLANTED) {
  Deno.test(`checkHistory() finds ${name}`, () => {
    assert.ok(kindsOf(history()).includes(kind), `found ${kindsOf(history())}`);
  });
}

Deno.test("checkHistory() asks for no order where none is promised", () => {
  const history = changed("sent", 24, (sent) => [{ ...sent, at: 1000 + 4 * 100 + 15 }]);
  assert.ok(!kindsOf(history, { ...EXPECTED, ordered: false }).includes("order broken"));
});
