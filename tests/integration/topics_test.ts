// A pattern in KAFKA_TOPIC: the consumer, `lag` and `dlq` mean the same topics, and new ones come to it by themselves.

import assert from "node:assert/strict";
import { startConsumer } from "../support/processes/consumer_process.ts";
import { runCommand } from "../support/processes/dlq_command.ts";
import { StubWorker } from "../support/workers/stub_worker.ts";
import { TestKafka } from "../support/kafka/test_kafka.ts";
import { until } from "../support/until.ts";

const LIMIT_MS = 60_000;

Deno.test("KAFKA_TOPIC=/pattern/ waits for a first topic, takes others as they come, and lag and dlq know them", async () => {
  await using kafka = await TestKafka.start();
  await using worker = new StubWorker(({ text }) => text === "bad" ? 422 : 200);
  const prefix = `p${crypto.randomUUID().slice(0, 6)}`;
  const groupId = `g${crypto.randomUUID().slice(0, 6)}`;
  const [first, second, other] = [`${prefix}-a`, `${prefix}-b`, `not-${prefix}-c`];
  const pattern = `/^${prefix}-/`;
  const make = (topic: string) => kafka.make(topic, `${topic}.${groupId}.dlq`, `${topic}.${groupId}.retry`);
  const delivered = (text: string) =>
    until(`${text} delivered`, () => worker.requests.some((each) => each.text === text), {
      timeoutMs: LIMIT_MS,
    });
  await using consumer = startConsumer({
    KAFKA_BROKERS: kafka.brokers,
    KAFKA_TOPIC: pattern,
    KAFKA_GROUP_ID: groupId,
    WORKER_URL: worker.url,
  });
  const { details } = await consumer.untilCause("topic-missing", LIMIT_MS);
  assert.ok(details.includes(pattern), details);
  await make(first);
  await kafka.produce(first, [{ value: "one" }, { value: "bad" }]);
  await delivered("one");
  await make(other);
  await make(second);
  await kafka.produce(second, [{ value: "two" }]);
  await kafka.produce(other, [{ value: "not meant" }]);
  await delivered("two");
  for (const topic of [first, second]) await kafka.untilCommitted(topic, groupId, LIMIT_MS);
  assert.ok(worker.requests.every(({ text }) => text !== "not meant"));

  const scene = { kafka, topic: pattern, groupId };
  const lag = JSON.parse((await runCommand("lag", scene, ["--json"])).text);
  const topics = new Set(lag.partitions.map(({ topic }: { topic: string }) => topic));
  const retries = [first, second].map((topic) => `${topic}.${groupId}.retry`);
  assert.deepEqual([...topics].sort(), [first, second, ...retries].sort());
  assert.equal(lag.lag, 0);
  const list = JSON.parse((await runCommand("dlq", scene, ["list", "--json"])).text);
  assert.deepEqual([list.meant, list.dead_letters[0].origin.at.startsWith(`${first}/`)], [1, true]);
  assert.equal(await consumer.stop(), 0);
});
