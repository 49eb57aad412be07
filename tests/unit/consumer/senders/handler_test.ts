// What a handler returns or throws, as outcomes.

import assert from "node:assert/strict";
import { DeadLetter, type Handler, HandlerSender, RetryLater } from "../../../../consumer/senders/handler.ts";
import type { KafkaRecord } from "../../../../consumer/records/record.ts";
import { ruleFor } from "../../../../shared/contract/status_contract.ts";

const RECORD: KafkaRecord = {
  topic: "t",
  partition: 0,
  offset: 1,
  timestampMs: 0,
  key: null,
  value: new TextEncoder().encode('{"n":1}'),
  headers: {},
};
const ATTEMPT = {
  headers: { "ackpool-attempt": "2", "idempotency-key": '"t/0/1"' },
  body: RECORD.value,
  timeoutMs: 1000,
};

async function outcomeOf(handler: Handler<unknown>, timeoutMs = 1000) {
  const unpack = ({ value }: KafkaRecord) => JSON.parse(new TextDecoder().decode(value ?? undefined));
  const sender = new HandlerSender({ handler, unpack, health: () => true, concurrency: 1 });
  return (await sender.send({ ...ATTEMPT, timeoutMs }, RECORD)).outcome;
}

const ruleOf = async (handler: Handler<unknown>) => ruleFor(await outcomeOf(handler)).name;

Deno.test("HandlerSender.send() settles what returns, with the value unpacked and the attempt told", async () => {
  const seen: unknown[] = [];
  const rule = await ruleOf((value, { attempt, idempotencyKey }) =>
    seen.push(value, attempt, idempotencyKey)
  );
  assert.equal(rule, "success");
  assert.deepEqual(seen, [{ n: 1 }, 2, "t/0/1"]);
});

Deno.test("HandlerSender.send() turns what is thrown into the dispositions of the contract", async () => {
  const throwing = (error: unknown) => () => {
    throw error;
  };
  assert.equal(await ruleOf(throwing(new DeadLetter("bad"))), "action-dead-letter");
  assert.equal(await ruleOf(throwing(new RetryLater(50))), "held");
  assert.equal(await ruleOf(throwing(new Error("down"))), "failed");
  assert.equal(await ruleOf(() => Promise.reject("down")), "failed");
  const waiting = await outcomeOf(throwing(new RetryLater(50)));
  assert.equal(waiting.kind === "answer" && waiting.retryAfterMs, 50);
});

Deno.test("HandlerSender.send() gives a handler up after its time, and tells it so", async () => {
  let told: AbortSignal | undefined;
  const outcome = await outcomeOf((_, { signal }) => {
    told = signal;
    return new Promise(() => {});
  }, 5);
  assert.deepEqual([outcome.kind, told?.aborted], ["timeout", true]);
});

Deno.test("HandlerSender.send() dead-letters what cannot be unpacked", async () => {
  const unpack = () => {
    throw new SyntaxError("no JSON");
  };
  const sender = new HandlerSender({ handler: () => {}, unpack, health: () => true, concurrency: 1 });
  assert.equal(ruleFor((await sender.send(ATTEMPT, RECORD)).outcome).name, "rejected");
});

Deno.test("HandlerSender.checkReady() takes a health check that fails for a no", async () => {
  const health = () => Promise.reject(new Error("down"));
  const sender = new HandlerSender({ handler: () => {}, unpack: () => 1, health, concurrency: 1 });
  assert.equal(await sender.checkReady(), false);
});
