import assert from "node:assert/strict";
import { CommitMarks } from "../../../../../consumer/kafka/group/commit_marks.ts";
import type { Place } from "../../../../../consumer/kafka/group/membership.ts";
import { CommitRefused } from "../../../../../consumer/kafka/kafkajs_patches/offset_commit.ts";

const place = (partition: number, offset: number, metadata = ""): Place => ({
  topic: "t",
  partition,
  offset,
  metadata,
});

/** A broker that takes so much metadata, and refuses some partitions; with what it was asked and what it keeps. */
function broker(metadataMax: number, forbidden: readonly number[] = []) {
  const asked: Place[][] = [];
  const kept = new Map<number, Place>();
  const marks = new CommitMarks((places) => {
    asked.push([...places]);
    const refusals = places.flatMap(({ topic, partition, metadata }) => {
      const type = forbidden.includes(partition)
        ? "TOPIC_AUTHORIZATION_FAILED"
        : metadata.length > metadataMax
        ? "OFFSET_METADATA_TOO_LARGE"
        : undefined;
      return type === undefined ? [] : [{ topic, partition, type }];
    });
    for (const each of places) {
      if (!refusals.some(({ partition }) => partition === each.partition)) kept.set(each.partition, each);
    }
    return refusals.length === 0 ? Promise.resolve() : Promise.reject(new CommitRefused(refusals));
  });
  return { marks, asked, kept };
}

Deno.test("CommitMarks.commit() has one partition refused and the others taken", async () => {
  const { marks, kept } = broker(100, [1]);
  assert.deepEqual([...await marks.commit([place(0, 5), place(1, 6), place(2, 7)])], ["t/1"]);
  assert.deepEqual([...kept.keys()], [0, 2]);
  await assert.rejects(marks.commit([place(1, 6)]), { type: "TOPIC_AUTHORIZATION_FAILED" });
});

Deno.test("CommitMarks.commit() leaves out a map that is too long for the broker, and commits it when it is shorter", async () => {
  const { marks, asked, kept } = broker(10);
  assert.equal((await marks.commit([place(0, 5, "x".repeat(40)), place(1, 6, "short")])).size, 0);
  assert.deepEqual([...kept.values()], [place(1, 6, "short"), place(0, 5, "")]);
  const before = asked.length;
  await marks.commit([place(0, 7, "x".repeat(50))]);
  assert.equal(asked.length, before + 1, "what is known to be too long is not tried again");
  assert.deepEqual(kept.get(0), place(0, 7, ""));
  await marks.commit([place(0, 8, "x".repeat(20))]);
  assert.deepEqual(kept.get(0), place(0, 8, ""));
  await marks.commit([place(0, 9, "x".repeat(10))]);
  assert.deepEqual(kept.get(0), place(0, 9, "x".repeat(10)));
});

Deno.test("CommitMarks.commit() throws what has nothing to do with single partitions", async () => {
  const marks = new CommitMarks(() => Promise.reject(new Error("the connection is gone")));
  await assert.rejects(marks.commit([place(0, 5)]), /the connection is gone/);
});
