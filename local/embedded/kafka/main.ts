// The embedded Kafka as a process of its own: librdkafka's mock cluster with one broker, in memory, until SIGTERM.
//
// librdkafka itself prints the address on standard output, where launch.ts reads it.

import { KafkaClient } from "kafka-crab-js";

const client = new KafkaClient({
  // The address is required and ignored: with mock brokers librdkafka talks to those.
  brokers: "embedded:9092",
  clientId: "ackpool-embedded-kafka",
  logLevel: "info",
  configuration: { "test.mock.num.brokers": "1" },
});
// The cluster lives as long as the client that made it.
const broker = client.createProducer();

for (const signal of ["SIGTERM", "SIGINT"] as const) Deno.addSignalListener(signal, () => Deno.exit(0));
setInterval(() => broker.inFlightCount(), 2 ** 30);
