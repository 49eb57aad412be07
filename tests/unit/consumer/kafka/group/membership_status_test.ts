import assert from "node:assert/strict";
import { MembershipStatus } from "../../../../../consumer/kafka/group/membership_status.ts";

/** An MembershipStatus with a clock that the test sets. */
function away(): { readonly away: MembershipStatus; readonly at: (ms: number) => void } {
  let nowMs = 0;
  return { away: new MembershipStatus(() => nowMs), at: (ms) => nowMs = ms };
}

const names = (each: MembershipStatus) => each.causes().map(({ name }) => name);

Deno.test("MembershipStatus.causes() is joining at first and nothing once joined", () => {
  const { away: each } = away();
  assert.deepEqual(names(each), ["joining"]);
  each.joined();
  assert.deepEqual(names(each), []);
});

Deno.test("MembershipStatus.waiting() says what is not there and keeps since when", () => {
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

Deno.test("MembershipStatus.lost() says why, until it has joined again", () => {
  const { away: each } = away();
  each.joined();
  each.lost(new Error("the broker went away"));
  assert.deepEqual(names(each), ["kafka-unavailable"]);
  each.joined();
  assert.deepEqual(names(each), []);
});

/** Waits until the promises have been reported. */
const told = () => new Promise((resolve) => setTimeout(resolve));

Deno.test("MembershipStatus.lost() names the rights that turn out to be missing, and keeps them while joining fails for them", async () => {
  const { away: each, at } = away();
  const refused = Object.assign(new Error("not authorized"), { type: "TOPIC_AUTHORIZATION_FAILED" });
  each.lost(refused, Promise.resolve(["read the topic t"]));
  await told();
  assert.deepEqual(names(each), ["kafka-forbidden"]);
  assert.match(each.causes()[0]?.detail ?? "", /read the topic t/);
  at(100);
  each.lost(new Error("Failed to find group coordinator"), Promise.resolve(["read the topic t"]));
  assert.match(each.causes()[0]?.detail ?? "", /read the topic t/);
  await told();
  assert.equal(each.causes()[0]?.sinceMs, 0);
  each.lost(new Error("the broker went away"), Promise.reject(new Error("nobody to ask")));
  await told();
  assert.deepEqual(names(each), ["kafka-unavailable"]);
});

Deno.test("MembershipStatus.lost() tells nothing of rights once it has joined again", async () => {
  const { away: each } = away();
  const { promise, resolve } = Promise.withResolvers<readonly string[]>();
  each.lost(new Error("the broker went away"), promise);
  each.joined();
  resolve(["read the topic t"]);
  await told();
  assert.deepEqual(names(each), []);
});

Deno.test("MembershipStatus.lost() tells a refused certificate and a refused password apart from brokers that are away", () => {
  const { away: each } = away();
  each.lost(Object.assign(new Error("expired"), { code: "CERT_HAS_EXPIRED", broker: "kafka:9093" }));
  assert.deepEqual(names(each), ["kafka-certificate"]);
  each.lost(Object.assign(new Error("wrong"), { name: "KafkaJSSASLAuthenticationError" }));
  assert.deepEqual(names(each), ["kafka-credentials"]);
  each.lost(Object.assign(new Error("refused"), { code: "ECONNREFUSED" }));
  assert.deepEqual(names(each), ["kafka-unavailable"]);
});

Deno.test("MembershipStatus.lost() says in Kafka's words why the group does not take us", () => {
  const { away: each } = away();
  const refused = (type: string, retriable: boolean) =>
    Object.assign(new Error(`Kafka's words on ${type}`), { type, retriable });
  for (const type of ["INCONSISTENT_GROUP_PROTOCOL", "GROUP_MAX_SIZE_REACHED", "SOMETHING_NEW"]) {
    each.lost(new Error("gave up", { cause: refused(type, false) }));
    assert.deepEqual(names(each), ["kafka-join-refused"]);
    assert.match(each.causes()[0]?.detail ?? "", new RegExp(`Kafka's words on ${type} \\(${type}\\)`));
  }
  each.lost(refused("GROUP_COORDINATOR_NOT_AVAILABLE", true));
  assert.deepEqual(names(each), ["kafka-unavailable"]);
});
