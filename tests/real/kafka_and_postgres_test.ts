// The harness itself: real Kafka and PostgreSQL start, keep their data through kill -9, and leave nothing behind.

import assert from "node:assert/strict";
import { Kafka, logLevel } from "kafkajs";
import postgres from "postgres";
import { RealKafka } from "../support/kafka/real_kafka.ts";
import { RealPostgres } from "../support/postgres/real_postgres.ts";
import { until } from "../support/until.ts";

Deno.test("RealKafka keeps records and port through kill -9 and restart()", async () => {
  await using kafka = await RealKafka.start();
  const client = new Kafka({ brokers: [kafka.brokers], logLevel: logLevel.NOTHING });
  const [admin, producer] = [client.admin(), client.producer()];
  await Promise.all([admin.connect(), producer.connect()]);
  await admin.createTopics({ topics: [{ topic: "t" }], waitForLeaders: true });
  await producer.send({ topic: "t", acks: -1, messages: [{ partition: 3, value: "a" }] });
  await Promise.all([admin.disconnect(), producer.disconnect()]);

  await kafka.kill();
  await kafka.restart();

  await admin.connect();
  // A restarted broker answers "not the leader" until it has taken its partitions up again.
  const offsets = await until("the topic's offsets", () => admin.fetchTopicOffsets("t"));
  await admin.disconnect();
  assert.equal(offsets.length, 8);
  assert.equal(offsets.find(({ partition }) => partition === 3)?.high, "1");
});

Deno.test("RealKafka gives a consumer of kafkajs what its producer sent", async () => {
  await using kafka = await RealKafka.start({ partitions: 2 });
  const client = new Kafka({ brokers: [kafka.brokers], logLevel: logLevel.NOTHING });
  const [admin, producer, consumer] = [client.admin(), client.producer(), client.consumer({ groupId: "g" })];
  await Promise.all([admin.connect(), producer.connect(), consumer.connect()]);
  await admin.createTopics({ topics: [{ topic: "t" }], waitForLeaders: true });
  await producer.send({ topic: "t", messages: [{ value: "hello" }] });
  await consumer.subscribe({ topic: "t", fromBeginning: true });
  const received = await new Promise<string | undefined>((resolve) =>
    consumer.run({
      eachMessage: ({ message }) => {
        resolve(message.value?.toString());
        return Promise.resolve();
      },
    })
  );
  await Promise.all([admin.disconnect(), producer.disconnect(), consumer.disconnect()]);
  assert.equal(received, "hello");
});

Deno.test("RealPostgres keeps what was committed through kill -9 and restart()", async () => {
  await using server = await RealPostgres.start();
  const url = await server.createDatabase("kept");
  const before = postgres(url, { max: 1 });
  await before`create table t as select 1 as n`;
  await before.end();

  await server.kill();
  await server.restart();

  const after = postgres(url, { max: 1 });
  const rows = await after`select n from t`;
  await after.end();
  assert.deepEqual(rows.map((row) => row["n"]), [1]);
});
