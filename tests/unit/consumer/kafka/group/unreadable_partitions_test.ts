import assert from "node:assert/strict";
import { UnreadablePartitions } from "../../../../../consumer/kafka/group/unreadable_partitions.ts";

const at = (partition: number, topic = "t") => ({ topic, partition });
const forbidden = Object.assign(new Error("Not authorized"), { type: "TOPIC_AUTHORIZATION_FAILED" });

/** With a clock that the test sets. */
function partitions() {
  let nowMs = 0;
  return { unreadable: new UnreadablePartitions(() => nowMs), at: (ms: number) => nowMs = ms };
}

Deno.test("UnreadablePartitions.causes() names what has been away for a while, and forgets it when it is read again", () => {
  const { unreadable, at: now } = partitions();
  unreadable.failed(at(0), new Error("No broker leads the partition"));
  assert.deepEqual(unreadable.causes(20), [], "an election takes a moment");
  now(2999);
  assert.deepEqual(unreadable.causes(20), []);
  now(3000);
  unreadable.failed(at(0), new Error("No broker leads the partition"));
  const [cause] = unreadable.causes(20);
  assert.equal(cause?.name, "partitions-unreadable");
  assert.equal(cause?.sinceMs, 0);
  assert.match(cause?.detail ?? "", /t\/0 \(No broker leads the partition\)/);
  unreadable.read(at(0));
  assert.deepEqual(unreadable.causes(20), []);
});

Deno.test("UnreadablePartitions.causes() names a missing right at once and by the topic", () => {
  const { unreadable } = partitions();
  unreadable.failed(at(0), forbidden);
  unreadable.failed(at(1), forbidden);
  assert.deepEqual(unreadable.causes(20).map(({ name, detail }) => [name, detail]), [
    ["kafka-forbidden", "We have no right to read the topic t"],
  ]);
  unreadable.forget([at(0), at(1)]);
  assert.deepEqual(unreadable.causes(20), []);
});

Deno.test("UnreadablePartitions.causes() names some of many", () => {
  const { unreadable, at: now } = partitions();
  for (let partition = 0; partition < 9; partition++) unreadable.failed(at(partition), new Error("away"));
  now(3000);
  assert.match(unreadable.causes(20)[0]?.detail ?? "", /t\/4 \(away\) and 4 more$/);
});

Deno.test("UnreadablePartitions.causes() says that Kafka is away where no broker of all that is ours answers", () => {
  const { unreadable, at: now } = partitions();
  const refused = Object.assign(new Error("connect ECONNREFUSED"), { name: "KafkaJSConnectionError" });
  for (const partition of [0, 1]) unreadable.failed(at(partition), refused);
  now(3000);
  assert.deepEqual(unreadable.causes(2).map(({ name, detail }) => [name, detail]), [
    ["kafka-unavailable", "No broker that has our partitions can be reached: connect ECONNREFUSED"],
  ]);
  assert.deepEqual(unreadable.causes(3).map(({ name }) => name), ["partitions-unreadable"]);
  unreadable.failed(at(1), new Error("No broker leads the partition"));
  assert.deepEqual(unreadable.causes(2).map(({ name }) => name), ["partitions-unreadable"]);
});
