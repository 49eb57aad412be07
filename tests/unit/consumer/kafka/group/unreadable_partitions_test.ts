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
  assert.deepEqual(unreadable.causes(), [], "an election takes a moment");
  now(20_000);
  unreadable.failed(at(0), new Error("No broker leads the partition"));
  const [cause] = unreadable.causes();
  assert.equal(cause?.name, "partitions-unreadable");
  assert.equal(cause?.sinceMs, 0);
  assert.match(cause?.detail ?? "", /t\/0 \(No broker leads the partition\)/);
  unreadable.read(at(0));
  assert.deepEqual(unreadable.causes(), []);
});

Deno.test("UnreadablePartitions.causes() names a missing right at once and by the topic", () => {
  const { unreadable } = partitions();
  unreadable.failed(at(0), forbidden);
  unreadable.failed(at(1), forbidden);
  assert.deepEqual(unreadable.causes().map(({ name, detail }) => [name, detail]), [
    ["kafka-forbidden", "We have no right to read the topic t"],
  ]);
  unreadable.forget([at(0), at(1)]);
  assert.deepEqual(unreadable.causes(), []);
});

Deno.test("UnreadablePartitions.causes() names some of many", () => {
  const { unreadable, at: now } = partitions();
  for (let partition = 0; partition < 9; partition++) unreadable.failed(at(partition), new Error("away"));
  now(15_000);
  assert.match(unreadable.causes()[0]?.detail ?? "", /t\/4 \(away\) and 4 more$/);
});
