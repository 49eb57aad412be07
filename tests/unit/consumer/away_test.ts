import assert from "node:assert/strict";
import { Away } from "../../../consumer/away.ts";

/** An Away with a clock that the test sets. */
function away(): { readonly away: Away; readonly at: (ms: number) => void } {
  let nowMs = 0;
  return { away: new Away(() => nowMs), at: (ms) => nowMs = ms };
}

const names = (each: Away) => each.causes().map(({ name }) => name);

Deno.test("Away.causes() is joining at first and nothing once joined", () => {
  const { away: each } = away();
  assert.deepEqual(names(each), ["joining"]);
  each.joined();
  assert.deepEqual(names(each), []);
});

Deno.test("Away.waiting() says what is not there and keeps since when", () => {
  const { away: each, at } = away();
  at(100);
  each.waiting({ kind: "brokers", why: "ECONNREFUSED" });
  at(200);
  each.waiting({ kind: "brokers", why: "ETIMEDOUT" });
  const [cause] = each.causes();
  assert.equal(cause?.name, "kafka-unavailable");
  assert.equal(cause?.sinceMs, 100);
  assert.match(cause?.detail ?? "", /ETIMEDOUT/);
  at(300);
  each.waiting({ kind: "topic", topic: "support-tickets" });
  assert.deepEqual(names(each), ["topic-missing"]);
  assert.equal(each.causes()[0]?.sinceMs, 300);
  assert.match(each.causes()[0]?.detail ?? "", /support-tickets/);
});

Deno.test("Away.lost() says why, until it has joined again", () => {
  const { away: each } = away();
  each.joined();
  each.lost("the broker went away");
  assert.deepEqual(names(each), ["kafka-unavailable"]);
  each.joined();
  assert.deepEqual(names(each), []);
});
