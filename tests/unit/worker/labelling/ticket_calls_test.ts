// Tests of which calls count against a ticket.

import assert from "node:assert/strict";
import { TicketCalls } from "../../../../worker/labelling/ticket_calls.ts";
import { labelOf } from "../../../support/postgres/requests.ts";

const UNUSABLE = { kind: "unusable", calls: 2 } as const;
const LABELLED = { kind: "labelled", label: labelOf("bug") } as const;
const failed = (calls: number) => ({
  kind: "llm_failed",
  calls,
  failure: { kind: "failed", cause: "timeout", detail: "late", headers: {} },
} as const);

Deno.test("TicketCalls.record() counts what was paid for and came to nothing", () => {
  const calls = new TicketCalls(6);
  assert.equal(calls.record("1", UNUSABLE), 2);
  assert.equal(calls.record("1", failed(1)), 1);
  assert.equal(calls.record("1", failed(0)), 0);
  assert.equal(calls.record("1", LABELLED), 0);
});

Deno.test("TicketCalls.record() counts against no ticket while the model answers nobody usably", () => {
  const calls = new TicketCalls(6);
  const counted = Array.from({ length: 30 }, (_, at) => calls.record(String(at), UNUSABLE));
  assert.deepEqual(counted, [2, 2, 2, 2, 2, ...Array(25).fill(0)]);
  calls.record("well", LABELLED);
  assert.equal(calls.record("30", UNUSABLE), 2);
});

Deno.test("TicketCalls.record() counts against a bad ticket however often it comes alone", () => {
  const calls = new TicketCalls(6);
  for (let time = 0; time < 50; time++) assert.equal(calls.record("bad", UNUSABLE), 2);
});

Deno.test("TicketCalls.record() counts in a flood of bad tickets as long as one in twenty is good", () => {
  const calls = new TicketCalls(6);
  calls.record("good", LABELLED);
  const counted = Array.from({ length: 19 }, (_, at) => calls.record(`bad ${at}`, UNUSABLE));
  assert.deepEqual(counted, Array(19).fill(2));
});
