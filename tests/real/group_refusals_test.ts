// What a real group's coordinator refuses: members that deal partitions out otherwise, and commits that are too long.

import assert from "node:assert/strict";
import { AssignerProtocol, Kafka, logLevel, type PartitionAssigner } from "kafkajs";
import { RealKafka } from "../support/kafka/real_kafka.ts";
import { TestKafka } from "../support/kafka/test_kafka.ts";
import { Scene, values } from "../support/processes/consumer_process.ts";
import { until } from "../support/until.ts";
import { Gate, StubWorker } from "../support/workers/stub_worker.ts";

const LIMIT_MS = 60_000;

/** An assignor that no member of ours knows; it gives nobody anything. */
const strange: PartitionAssigner = () => ({
  name: "strange",
  version: 0,
  protocol: ({ topics }) => ({
    name: "strange",
    metadata: AssignerProtocol.MemberMetadata.encode({ version: 0, topics, userData: Buffer.alloc(0) }),
  }),
  assign: ({ members }) =>
    Promise.resolve(members.map(({ memberId }) => ({
      memberId,
      memberAssignment: AssignerProtocol.MemberAssignment.encode({
        version: 0,
        assignment: {},
        userData: Buffer.alloc(0),
      }),
    }))),
});

Deno.test("the consumer says in Kafka's words that a member of another protocol keeps it out, and joins when it is gone", async () => {
  await using kafka = await TestKafka.start();
  assert.ok(kafka.real, "run this through `deno task test:real`");
  const scene = await Scene.in(kafka);
  const client = new Kafka({ brokers: kafka.brokers.split(","), logLevel: logLevel.NOTHING });
  const other = client.consumer({ groupId: scene.groupId, partitionAssigners: [strange] });
  await other.connect();
  await other.subscribe({ topics: [scene.topic] });
  const { promise: joined, resolve } = Promise.withResolvers<void>();
  other.on(other.events.GROUP_JOIN, () => resolve());
  await other.run({ eachMessage: () => Promise.resolve() });
  await joined;
  await using worker = new StubWorker();
  await using consumer = scene.consumer([worker]);
  const { causes, details } = await consumer.untilCause("kafka-join-refused", LIMIT_MS);
  assert.deepEqual(causes, ["kafka-join-refused"]);
  assert.match(details, /INCONSISTENT_GROUP_PROTOCOL/);
  await other.disconnect();
  await scene.produce(values(20));
  await scene.untilCommitted(LIMIT_MS);
  await consumer.untilReady(LIMIT_MS);
  assert.equal(await consumer.stop(), 0);
});

Deno.test("the consumer commits without its offset map where the broker takes less metadata, and with it when it fits", async () => {
  await using broker = await RealKafka.start({ properties: { "offset.metadata.max.bytes": "40" } });
  await using kafka = await TestKafka.connect(broker.brokers);
  const scene = await Scene.in(kafka);
  const gate = new Gate();
  // Every second record waits, so that the map of what is settled is long.
  const waits = (text: string) => Number(text.slice(1)) % 2 === 0;
  await using worker = new StubWorker(async ({ text }) => {
    if (waits(text)) await gate.opened;
    return 200;
  });
  await using consumer = scene.consumer([worker], { WORKER_CONCURRENCY: "400" });
  await kafka.produce(scene.topic, values(300).map((value) => ({ key: null, value, partition: 0 })));
  await until(
    "a word on it",
    () => consumer.logged("the broker does not take commits with so much metadata").length,
    {
      timeoutMs: LIMIT_MS,
    },
  );
  await kafka.produce(
    scene.topic,
    values(20, "v999").map((value) => ({ key: null, value: `v1${value.slice(1)}1`, partition: 1 })),
  );
  await until("the other partition's commit", async () => {
    return (await kafka.committed(scene.topic, scene.groupId)).get(1)?.offset === 20;
  }, { timeoutMs: LIMIT_MS });
  gate.open();
  await scene.untilCommitted(LIMIT_MS);
  assert.equal(await consumer.stop(), 0);
});
