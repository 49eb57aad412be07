// Reading tickets of the user's own, and the samples.

import assert from "node:assert/strict";
import { sampleTickets } from "../../../../../local/produce/samples.ts";
import { parseTicketLine } from "../../../../../local/produce/tickets/ticket_line.ts";

Deno.test("parseTicketLine() keeps the user's own text, whatever else is in it", () => {
  const text = '{"ticket_id":"a-1", "subject":"s","body":"b","priority":3}';
  const line = parseTicketLine(7, ` ${text}\r`);
  assert.deepEqual(line, {
    kind: "ticket",
    line: 7,
    text,
    ticket: { ticket_id: "a-1", subject: "s", body: "b" },
  });
});

Deno.test("parseTicketLine() says what is wrong with a line and passes over blank ones", () => {
  assert.equal(parseTicketLine(1, "  \r"), undefined);
  assert.deepEqual(parseTicketLine(2, "nonsense"), { kind: "bad", line: 2, problem: "is not JSON" });
  const missing = parseTicketLine(3, '{"ticket_id":1,"subject":"s"}');
  assert.ok(missing?.kind === "bad" && missing.problem.startsWith("body: "));
  const list = parseTicketLine(4, "[]");
  assert.ok(list?.kind === "bad" && list.problem.startsWith("the line: "));
});

Deno.test("sampleTickets() are valid tickets with ids counted up, or without ids", async () => {
  const ids = (await sampleTickets(41)).map((line) => line.kind === "ticket" && line.ticket.ticket_id);
  assert.deepEqual(ids, Array.from({ length: 20 }, (_, at) => 41 + at));
  const without = await sampleTickets(undefined);
  assert.ok(without.every((line) => line.kind === "ticket" && line.ticket.ticket_id === undefined));
});
