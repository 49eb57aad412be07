// Taking a record out: the answer says what became of it, not what was asked.

import assert from "node:assert/strict";
import type { TakeEffect } from "../../../consumer/core/operator.ts";
import { RecordOperations } from "../../../consumer/record_operations.ts";
import type { Runtime } from "../../../consumer/runtime.ts";

const PLACE = { topic: "t", partition: 0, offset: 7 };
const TOPIC_AWAY = {
  name: "dead-letter-topic-unavailable",
  sinceMs: 0,
  detail: "It is refused",
  remedy: "Mend it.",
};

/** A runtime with one record, which is `becomes` a moment after it was taken. */
function take(effect: TakeEffect, becomes: { state: string; reason?: string } | undefined) {
  const delivery: Record<string, unknown> = { state: "waiting", reason: undefined };
  const runtime = {
    find: (_: unknown, offset: number) => offset === 7 ? delivery : undefined,
    take: () => {
      Object.assign(delivery, { state: "dead_lettering", reason: "operator" });
      if (becomes !== undefined) setTimeout(() => Object.assign(delivery, { reason: undefined }, becomes), 1);
      return effect;
    },
  } as unknown as Runtime;
  return new RecordOperations(runtime, () => [TOPIC_AWAY], 100).take(PLACE);
}

Deno.test("RecordOperations.take() answers when the dead letter is written, or the record settled or gone", async () => {
  const written = await take("now", { state: "settled", reason: "operator" });
  assert.deepEqual(written, { effect: "now", result: "dead-lettered" });
  assert.deepEqual(await take("after-attempt", { state: "settled" }), {
    effect: "after-attempt",
    result: "settled",
  });
  assert.deepEqual(await take("now", { state: "dropped" }), { effect: "now", result: "given-up" });
});

Deno.test("RecordOperations.take() says why a dead letter is not written, and no more than that it waits for its turn", async () => {
  const why = "It is refused. Mend it.";
  assert.deepEqual(await take("now", undefined), { effect: "now", result: "waiting", why });
  assert.deepEqual(await take("in-turn", { state: "ready" }), { effect: "in-turn", result: "waiting" });
});

Deno.test("RecordOperations.take() takes nothing that is not held", async () => {
  const runtime = { find: () => undefined, take: () => undefined } as unknown as Runtime;
  assert.equal(await new RecordOperations(runtime, () => []).take(PLACE), undefined);
});
