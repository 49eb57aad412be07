// What the environment says to start.

import assert from "node:assert/strict";
import { readStartConfig } from "../../../../local/start/config.ts";
import { ConfigError } from "../../../../shared/config/read.ts";

const read = (env: Record<string, string> = {}) => readStartConfig((name) => env[name]);

Deno.test("readStartConfig() embeds everything that is not set", () => {
  const config = read();
  assert.deepEqual([config.brokers, config.databaseUrl, config.localModel], [undefined, undefined, true]);
  assert.deepEqual([config.port, config.adminPort], [8000, 8080]);
  assert.deepEqual(config.topics, [
    "support-tickets",
    "support-tickets.ticket-classifier.dlq",
    "support-tickets.ticket-classifier.retry",
  ]);
});

Deno.test("readStartConfig() asks for a topic's name beside a pattern where Kafka is embedded", () => {
  assert.throws(() => read({ KAFKA_TOPIC: "/^t-/" }), /KAFKA_TOPIC is a pattern/);
  assert.equal(read({ KAFKA_TOPIC: "/^t-/,t-1" }).topic, "t-1");
  assert.equal(read({ KAFKA_TOPIC: "/^t-/", KAFKA_BROKERS: "b:1" }).topics.length, 0);
});

Deno.test("readStartConfig() takes what is the user's own", () => {
  const config = read({ KAFKA_BROKERS: "a:1, b:2", DATABASE_URL: "postgres://h/d", OPENAI_API_KEY: "k" });
  assert.deepEqual([config.brokers, config.databaseUrl, config.localModel], [
    ["a:1", "b:2"],
    "postgres://h/d",
    false,
  ]);
  assert.equal(read({ OPENAI_BASE_URL: "http://localhost:11434/v1" }).localModel, false);
});

Deno.test("readStartConfig() names the problems of consumer and worker at once, each once, and no secret", () => {
  const env = {
    PORT: "abc",
    COMMIT_MODE: "x",
    SHUTDOWN_GRACE_MS: "soon",
    DATABASE_URL: "mysql://me:secret@h",
  };
  assert.throws(() => read(env), (error: ConfigError) => {
    const names = error.problems.map((problem) => problem.split(" ")[0]).sort();
    assert.deepEqual(names, ["COMMIT_MODE", "DATABASE_URL", "PORT", "SHUTDOWN_GRACE_MS"]);
    return !error.message.includes("secret");
  });
});

Deno.test("readStartConfig() names the ingress's problems too, and two ports that are one", () => {
  const problemsOf = (env: Readonly<Record<string, string>>) => {
    try {
      read(env);
      return [];
    } catch (error) {
      return (error as ConfigError).problems;
    }
  };
  assert.deepEqual(problemsOf({ INGRESS_PROXIES: "x", WORKER_TOKEN: " , " }), [
    "WORKER_TOKEN has no token in it",
    'INGRESS_PROXIES is not a whole number: current value is "x"',
  ]);
  assert.deepEqual(problemsOf({ PORT: "8080" }), ["PORT and ADMIN_PORT are the same: current value is 8080"]);
});
