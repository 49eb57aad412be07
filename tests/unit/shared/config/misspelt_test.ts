// Misspelt variables: which names in an environment are taken for one of ours.

import assert from "node:assert/strict";
import { misspeltVariables } from "../../../../shared/config/misspelt.ts";
import { variables } from "../../../../shared/config/variables.ts";

const meant = (name: string) => /do you mean (\w+)\?/.exec(misspeltVariables([name])[0] ?? "")?.[1];

Deno.test("misspeltVariables() names the right variable for letters that went wrong", () => {
  const cases = {
    KAFKA_BROKER: "KAFKA_BROKERS",
    OPENAI_APIKEY: "OPENAI_API_KEY",
    DELIVERY_MOD: "DELIVERY_MODE",
    WORKER_CONCURENCY: "WORKER_CONCURRENCY",
    LOG_LEVLE: "LOG_LEVEL",
    kafka_topic: "KAFKA_TOPIC",
  };
  for (const [name, right] of Object.entries(cases)) assert.equal(meant(name), right, name);
});

Deno.test("misspeltVariables() knows what others call our variables, and names that lack or add a word", () => {
  const cases = {
    KAFKA_BOOTSTRAP_SERVERS: "KAFKA_BROKERS",
    OPENAI_API_BASE: "OPENAI_BASE_URL",
    OPENAI_KEY: "OPENAI_API_KEY",
    KAFKA_SASL_PASSWORD: "KAFKA_PASSWORD",
    KAFKA_GROUP: "KAFKA_GROUP_ID",
  };
  for (const [name, right] of Object.entries(cases)) assert.equal(meant(name), right, name);
});

Deno.test("misspeltVariables() leaves our own names and everybody else's alone", () => {
  const others = [
    "HOME",
    "PATH",
    "PORTS",
    "LOGNAME",
    "KAFKA_HEAP_OPTS",
    "OPENAI_ORG_ID",
    "PGPASSWORD",
    "DENO_DIR",
  ];
  const services = ["WORKER_SERVICE_HOST", "WORKER_PORT_8000_TCP", "KAFKA_SERVICE_PORT_HTTP", "KAFKA_PORT"];
  assert.equal(misspeltVariables(["WORKER_CONCURENCY", "WORKER_CONCURENCY"]).length, 1);
  assert.deepEqual(misspeltVariables([...Object.keys(variables), ...others, ...services]), []);
});

Deno.test("misspeltVariables() shows names and no values", () => {
  assert.deepEqual(misspeltVariables(["OPENAI_APIKEY"]), [
    "OPENAI_APIKEY is not read: do you mean OPENAI_API_KEY?",
  ]);
});
