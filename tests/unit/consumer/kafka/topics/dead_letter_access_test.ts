import assert from "node:assert/strict";
import type { Admin } from "kafkajs";
import type { TopicSettings } from "../../../../../consumer/kafka/topics/topic_settings.ts";
import { DeadLetterAccess } from "../../../../../consumer/kafka/topics/dead_letter_access.ts";

const source: TopicSettings = { partitions: 3, replicas: 1, configs: {}, own: [] };

/** A Kafka with these topics that lets us make and write what the test says. */
function kafka() {
  const state = { topics: new Set<string>(), mayMake: true, mayWrite: true, looks: 0 };
  const admin = {
    fetchTopicMetadata: ({ topics: [topic = ""] }: { topics: string[] }) => {
      state.looks += 1;
      if (state.topics.has(topic)) return Promise.resolve({ topics: [{ partitions: [{}] }] });
      return Promise.reject(Object.assign(new Error("none"), { type: "UNKNOWN_TOPIC_OR_PARTITION" }));
    },
    createTopics: ({ topics }: { topics: { topic: string }[] }) => {
      if (!state.mayMake) return Promise.reject(new Error("Topic authorization failed"));
      topics.forEach(({ topic }) => state.topics.add(topic));
      return Promise.resolve(true);
    },
  } as unknown as Admin;
  const access = new DeadLetterAccess({ mayWrite: () => Promise.resolve(state.mayWrite) }, () => 7);
  return { state, admin, access };
}

Deno.test("DeadLetterAccess has no cause where the topic can be made and written", async () => {
  const { state, admin, access } = kafka();
  await access.add(admin, "t.g.dlq", source);
  assert.deepEqual(access.causes(), []);
  assert.ok(state.topics.has("t.g.dlq"));
});

Deno.test("DeadLetterAccess says that a topic can be neither found nor made, until it can", async () => {
  const { state, admin, access } = kafka();
  state.mayMake = false;
  await access.add(admin, "t.g.dlq", source);
  const [cause] = access.causes();
  assert.equal(cause?.name, "dead-letter-topic-unavailable");
  assert.equal(cause?.sinceMs, 7);
  assert.match(cause?.detail ?? "", /t\.g\.dlq can be neither found nor made \(Topic authorization failed\)/);
  state.topics.add("t.g.dlq");
  await access.lookAgain(admin);
  assert.deepEqual(access.causes(), []);
});

Deno.test("DeadLetterAccess looks again at what is well only after a doubt", async () => {
  const { state, admin, access } = kafka();
  await access.add(admin, "t.g.dlq", source);
  state.mayWrite = false;
  const { looks } = state;
  await access.lookAgain(admin);
  assert.equal(state.looks, looks);
  access.doubt();
  await access.lookAgain(admin);
  assert.match(access.causes()[0]?.detail ?? "", /no right to write the topic t\.g\.dlq/);
});

Deno.test("DeadLetterAccess forgets what a topic lacked that is not written to any more", async () => {
  const { state, admin, access } = kafka();
  state.mayMake = false;
  await access.add(admin, "gone.g.dlq", source);
  assert.equal(access.causes().length, 1);
  access.keep(new Set(["t.g.dlq"]));
  assert.deepEqual(access.causes(), []);
  const { looks } = state;
  access.doubt();
  await access.lookAgain(admin);
  assert.equal(state.looks, looks);
});
