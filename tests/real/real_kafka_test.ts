// The harness's further listeners: what tests of passwords and certificates build on.

import assert from "node:assert/strict";
import { Kafka, logLevel } from "kafkajs";
import { RealKafka } from "../support/kafka/real_kafka.ts";

Deno.test("RealKafka opens a SASL listener that lets nobody in without the password", async () => {
  await using kafka = await RealKafka.start({
    listeners: [{
      name: "SASL",
      protocol: "SASL_PLAINTEXT",
      properties: {
        "sasl.enabled.mechanisms": "SCRAM-SHA-256",
        "scram-sha-256.sasl.jaas.config": "org.apache.kafka.common.security.scram.ScramLoginModule required;",
      },
    }],
    formatArgs: ["--add-scram", "SCRAM-SHA-256=[name=alice,password=wonderland]"],
  });
  const topics = async (password: string) => {
    const admin = new Kafka({
      brokers: [kafka.brokersOf("SASL")],
      logLevel: logLevel.NOTHING,
      sasl: { mechanism: "scram-sha-256", username: "alice", password },
      retry: { retries: 0 },
    }).admin();
    try {
      await admin.connect();
      return await admin.listTopics();
    } finally {
      await admin.disconnect();
    }
  };
  assert.deepEqual(await topics("wonderland"), []);
  await assert.rejects(topics("looking-glass"), /credentials/);
});
