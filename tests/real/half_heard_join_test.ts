// A join that is answered but not heard of to its end, on real Kafka: the connection breaks before the assignment comes.

import assert from "node:assert/strict";
import { Kafka, logLevel } from "kafkajs";
import { BrokerProxy, JOIN_GROUP } from "../support/kafka/broker_proxy.ts";
import { namedPorts, newClusterId, RealKafka } from "../support/kafka/real_kafka.ts";
import { TestKafka } from "../support/kafka/test_kafka.ts";
import { freePort } from "../support/ports.ts";
import { startConsumer, values } from "../support/processes/consumer_process.ts";
import { until } from "../support/until.ts";
import { StubWorker } from "../support/workers/stub_worker.ts";

const LIMIT_MS = 60_000;
const PARTITIONS = 8;
const [TOPIC, GROUP] = ["t", "g"];

Deno.test("a consumer whose join is answered but not heard of to its end reads what is its own, and no more", async () => {
  const ports = namedPorts(["PLAINTEXT", "CONTROLLER", "PROXIED"]);
  const proxyPort = freePort();
  const address = (name: string, port = ports.get(name)) => `${name}://127.0.0.1:${port}`;
  await using broker = await RealKafka.start({
    listeners: [{ name: "PROXIED", protocol: "PLAINTEXT" }],
    // Whoever asks through the proxy is told to come back through it.
    properties: { "advertised.listeners": `${address("PLAINTEXT")},${address("PROXIED", proxyPort)}` },
  }, {
    id: 1,
    roles: "broker,controller",
    clusterId: newClusterId(),
    voters: `1@127.0.0.1:${ports.get("CONTROLLER")}`,
    ports,
  });
  await using proxy = await BrokerProxy.listen(proxyPort, ports.get("PROXIED") ?? 0);
  const admin = new Kafka({ brokers: [broker.brokers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic: TOPIC, numPartitions: PARTITIONS }] });
  await admin.disconnect();
  await using kafka = await TestKafka.connect(broker.brokers);
  await using workers = new AsyncDisposableStack();
  const [one, two] = [workers.use(new StubWorker()), workers.use(new StubWorker())];
  const consumerOf = (brokers: string, worker: StubWorker) =>
    startConsumer({
      KAFKA_BROKERS: brokers,
      KAFKA_TOPIC: TOPIC,
      KAFKA_GROUP_ID: GROUP,
      WORKER_URL: worker.url,
      // No session ends meanwhile.
      KAFKA_SESSION_TIMEOUT_MS: "30000",
    });
  const produce = (texts: readonly string[]) =>
    kafka.produce(TOPIC, texts.map((value, n) => ({ partition: n % PARTITIONS, value })));
  const settled = (texts: readonly string[]) =>
    until(`${texts.length} records`, () => {
      const seen = new Set([...one.requests, ...two.requests].map(({ text }) => text));
      return texts.every((text) => seen.has(text));
    }, { timeoutMs: LIMIT_MS });

  await using first = consumerOf(`127.0.0.1:${proxyPort}`, one);
  await first.untilReady(LIMIT_MS);
  const before = values(80, "before");
  await produce(before);
  await settled(before);
  proxy.cutBehindNext(JOIN_GROUP);
  await using second = consumerOf(broker.brokers, two);
  await until("the cut", () => proxy.cuts === 1, { timeoutMs: LIMIT_MS });
  await second.untilReady(LIMIT_MS);
  await until("both to be members", () => first.logged("joined the group").length >= 2, {
    timeoutMs: LIMIT_MS,
  });
  await first.untilReady(LIMIT_MS);
  // What was on its way when partitions went may come twice; what comes now may not.
  await kafka.untilCommitted(TOPIC, GROUP, LIMIT_MS);
  const after = values(160, "after");
  await produce(after);
  await settled(after);
  await kafka.untilCommitted(TOPIC, GROUP, LIMIT_MS);
  const [mine, other] = [one, two].map(({ requests }) =>
    requests.filter(({ text }) => text.startsWith("after"))
  );
  assert.equal((mine?.length ?? 0) + (other?.length ?? 0), after.length, "something was delivered by both");
  assert.deepEqual([mine?.length, other?.length], [80, 80]);
  assert.deepEqual([await first.stop(), await second.stop()], [0, 0]);
});
