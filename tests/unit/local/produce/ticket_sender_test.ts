// Sending tickets in chunks.

import assert from "node:assert/strict";
import { sendTickets, type TicketSenderPorts } from "../../../../local/produce/ticket_sender.ts";
import { parseTicketLine } from "../../../../local/produce/tickets/ticket_line.ts";

const line = (number: number, ticket: object) => {
  const parsed = parseTicketLine(number, JSON.stringify(ticket));
  if (parsed === undefined) throw new Error("blank");
  return parsed;
};
const ticket = (id: number, body = "b") => line(id, { ticket_id: id, subject: "s", body });

function setUp(ports: Partial<TicketSenderPorts> = {}) {
  const sent: (string | null)[][] = [];
  const bad: string[] = [];
  const all: TicketSenderPorts = {
    room: () => Promise.resolve(),
    send: (records) => {
      sent.push(records.map(({ key }) => key));
      return Promise.resolve();
    },
    onProgress: () => {},
    onBad: (number, problem) => bad.push(`${number}: ${problem}`),
    signal: new AbortController().signal,
    ...ports,
  };
  return { sent, bad, ports: all };
}

Deno.test("sendTickets() sends in chunks of at most 500 tickets and 256 KiB, keyed by ticket id", async () => {
  const many = setUp();
  await sendTickets(Array.from({ length: 501 }, (_, id) => ticket(id)), many.ports);
  assert.deepEqual(many.sent.map((chunk) => chunk.length), [500, 1]);
  assert.equal(many.sent[0]?.[7], "7");
  const large = setUp();
  const summary = await sendTickets([1, 2, 3].map((id) => ticket(id, "x".repeat(100_000))), large.ports);
  assert.deepEqual(large.sent, [["1", "2"], ["3"]]);
  assert.equal(summary.sent, 3);
  assert.ok(summary.bytes > 300_000);
});

Deno.test("sendTickets() asks for room before each chunk", async () => {
  const order: string[] = [];
  const { ports } = setUp({
    room: (bytes) => {
      order.push(bytes > 100_000 ? "room" : "too little");
      return Promise.resolve();
    },
    send: () => {
      order.push("send");
      return Promise.resolve();
    },
  });
  await sendTickets([1, 2].map((id) => ticket(id, "x".repeat(200_000))), ports);
  assert.deepEqual(order, ["room", "send", "room", "send"]);
});

Deno.test("sendTickets() counts bad lines and sends the good ones", async () => {
  const { sent, bad, ports } = setUp();
  const summary = await sendTickets([ticket(1), line(2, { subject: 5 }), ticket(3)], ports);
  assert.deepEqual([summary.sent, summary.bad, sent, bad.length], [2, 1, [["1", "3"]], 1]);
});

Deno.test("sendTickets() with rows sends no record whose row was refused or that has no id", async () => {
  const { sent, bad, ports } = setUp({
    insert: (rows) =>
      Promise.resolve(
        rows.map(({ id }) => id === 2 ? { problem: "out of range" } : id === 3 ? "there_already" : "new"),
      ),
  });
  const summary = await sendTickets(
    [ticket(1), ticket(2), ticket(3), line(4, { subject: "s", body: "b" })],
    ports,
  );
  assert.deepEqual(sent, [["1", "3"]]);
  assert.deepEqual(summary, { sent: 2, inserted: 1, bad: 2, bytes: summary.bytes });
  assert.deepEqual(bad.sort(), [
    "2: out of range",
    "4: ticket_id: is missing, and the label would have nowhere to go",
  ]);
});

Deno.test("sendTickets() finds the one record that is too large for the broker", async () => {
  const sent: (string | null)[] = [];
  const { bad, ports } = setUp({
    send: (records) => {
      if (records.some(({ key }) => key === "2")) {
        return Promise.reject(Object.assign(new Error("too large"), { type: "MESSAGE_TOO_LARGE" }));
      }
      sent.push(...records.map(({ key }) => key));
      return Promise.resolve();
    },
  });
  const summary = await sendTickets([ticket(1), ticket(2), ticket(3)], ports);
  assert.deepEqual([sent, bad, summary.sent, summary.bad], [
    ["1", "3"],
    ["2: is larger than the broker takes"],
    2,
    1,
  ]);
});

Deno.test("sendTickets() stops where its signal fires, without sending what it has read since", async () => {
  const stop = new AbortController();
  const { sent, ports } = setUp({ signal: stop.signal });
  const lines = (function* () {
    yield ticket(1);
    stop.abort();
    yield ticket(2);
  })();
  assert.equal((await sendTickets(lines, ports)).sent, 0);
  assert.deepEqual(sent, []);
});
