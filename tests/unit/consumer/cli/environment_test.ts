import assert from "node:assert/strict";
import { commandEnvironment, hasOwnKafka } from "../../../../consumer/cli/environment.ts";
import { connectKafka } from "../../../../consumer/cli/kafka_connection.ts";

const RUN = {
  pid: 1,
  brokers: "127.0.0.1:29092",
  topic: "embedded-topic",
  groupId: "embedded-group",
  ingressPort: 8000,
  adminPort: 8081,
};
const env = (values: Readonly<Record<string, string>>) => (name: string) => values[name];

Deno.test("commandEnvironment() means the embedded broker of a running start where no brokers are named", () => {
  const found = commandEnvironment(
    env({ KAFKA_SECURITY_PROTOCOL: "SASL_SSL", LOG_LEVEL: "debug" }),
    RUN,
  );
  const { kafka, source, tlsFiles, adminPort } = connectKafka(found, "c").config;
  assert.deepEqual(kafka.brokers, ["127.0.0.1:29092"]);
  assert.deepEqual([source.topics.names, source.groupId], [["embedded-topic"], "embedded-group"]);
  assert.deepEqual([tlsFiles, adminPort], [undefined, 8081]);
  assert.equal(found("LOG_LEVEL"), "debug");
});

Deno.test("commandEnvironment() looks at the topics that start was given, unless it is asked for others", () => {
  const run = { ...RUN, topics: "one,/^two-/", deadLetterTopic: "letters", retryTopic: "again" };
  const found = commandEnvironment(env({}), run);
  assert.deepEqual(["KAFKA_TOPIC", "DEAD_LETTER_TOPIC", "RETRY_TOPIC"].map(found), [
    "one,/^two-/",
    "letters",
    "again",
  ]);
  const asked = commandEnvironment(env({ KAFKA_TOPIC: "mine", KAFKA_GROUP_ID: "other" }), run);
  assert.deepEqual(["KAFKA_TOPIC", "KAFKA_GROUP_ID", "KAFKA_BROKERS"].map(asked), [
    "mine",
    "other",
    RUN.brokers,
  ]);
});

Deno.test("commandEnvironment() leaves the user's own brokers as they are", () => {
  const own = env({ KAFKA_BROKERS: "b:1", KAFKA_TOPIC: "mine" });
  assert.equal(hasOwnKafka(own), true);
  const { kafka, source } = connectKafka(commandEnvironment(own, RUN), "c").config;
  assert.deepEqual(kafka.brokers, ["b:1"]);
  assert.deepEqual(source.topics.names, ["mine"]);
});

Deno.test("connectKafka() says what to do where there is no Kafka to look at", () => {
  const found = commandEnvironment(env({}), undefined);
  assert.throws(() => connectKafka(found, "c"), /run `deno task start` beside this, or set KAFKA_BROKERS/);
  const ownDatabaseOnly = commandEnvironment(env({}), { ...RUN, brokers: undefined });
  assert.throws(() => connectKafka(ownDatabaseOnly, "c"), /KAFKA_BROKERS/);
});
