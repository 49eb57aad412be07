import assert from "node:assert/strict";
import type { Admin } from "kafkajs";
import {
  readTopicSettings,
  type TopicSettings,
  weaknessesOf,
} from "../../../../../consumer/kafka/topics/topic_settings.ts";

const settings = (replicas: number, configs: TopicSettings["configs"] = {}): TopicSettings => ({
  partitions: 1,
  replicas,
  configs,
  own: [],
});

Deno.test("weaknessesOf() says what a side topic lacks beside its source, and nothing of one that is stronger", () => {
  const source = settings(3, { "min.insync.replicas": 2, "max.message.bytes": 5_000_000 });
  const weak = settings(1, { "min.insync.replicas": 1, "max.message.bytes": 1_048_588 });
  const said = weaknessesOf("t.g.dlq", weak, "t", source);
  assert.equal(said.length, 3);
  assert.match(said[0] ?? "", /t\.g\.dlq has 1 of the 3 replicas of t/);
  assert.match(said[1] ?? "", /min\.insync\.replicas=1 and t has 2/);
  assert.match(said[2] ?? "", /max\.message\.bytes=1048588 and t has 5000000/);
  assert.deepEqual(weaknessesOf("t.g.dlq", source, "t", weak), []);
  assert.deepEqual(weaknessesOf("t.g.dlq", settings(3), "t", source), [], "what we may not see is not told");
});

Deno.test("readTopicSettings() takes the weakest partition's replicas, and does without a right to see the configuration", async () => {
  const admin = {
    fetchTopicMetadata: () =>
      Promise.resolve({ topics: [{ partitions: [{ replicas: [1, 2, 3] }, { replicas: [1, 2] }] }] }),
    describeConfigs: () => Promise.reject(new Error("Cluster authorization failed")),
  } as unknown as Admin;
  assert.deepEqual(await readTopicSettings(admin, "t"), {
    partitions: 2,
    replicas: 2,
    configs: {},
    own: [],
  });
});

Deno.test("readTopicSettings() tells a topic's own settings from the broker's", async () => {
  const admin = {
    fetchTopicMetadata: () => Promise.resolve({ topics: [{ partitions: [{ replicas: [1] }] }] }),
    describeConfigs: () =>
      Promise.resolve({
        resources: [{
          configEntries: [
            { configName: "min.insync.replicas", configValue: "1", isDefault: true },
            { configName: "max.message.bytes", configValue: "2000000", isDefault: false },
          ],
        }],
      }),
  } as unknown as Admin;
  const { configs, own } = await readTopicSettings(admin, "t") ?? settings(0);
  assert.deepEqual(configs, { "min.insync.replicas": 1, "max.message.bytes": 2_000_000 });
  assert.deepEqual(own, ["max.message.bytes"]);
});
