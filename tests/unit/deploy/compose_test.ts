// Holds compose.yaml against the code: commands, variables, ports, health and how the processes are confined.

import assert from "node:assert/strict";
import { parseConfig as parseConsumer } from "../../../consumer/config.ts";
import { readVariables } from "../../../shared/config/read.ts";
import { type VariableName, variables } from "../../../shared/config/variables.ts";
import { parseConfig as parseWorker } from "../../../worker/config.ts";
import {
  dockerfile,
  envFileOf,
  isVariable,
  manifestsOf,
  type Parsed,
  reads,
  tasks,
  yamlOf,
} from "../../support/images/deploy_files.ts";

const compose = yamlOf("compose.yaml");
const services: readonly [string, Parsed][] = Object.entries(compose.services);
const service = (name: string): Parsed => compose.services[name];
const ours = services.filter(([, { build }]) => build !== undefined);

/** Longer than SHUTDOWN_GRACE_MS by what commits and goodbyes take. */
const GOODBYE_MS = 10_000;

/** The environment as the container has it, on a machine where none of the variables is set. */
function environmentOf(name: string): (variable: string) => string | undefined {
  const { environment, env_file: files = [] } = service(name);
  const fromFiles = files.map((path: string) => envFileOf(interpolated(path)));
  // Every container has a name.
  const all = Object.assign({ HOSTNAME: "4f1c" }, ...fromFiles, environment);
  // A variable without a value is passed on from the machine, where nothing is set.
  return (variable) => all[variable] ? interpolated(String(all[variable])) : undefined;
}

/** `${NAME:-default}` is its default, `${NAME:+replacement}` nothing, `$$` a dollar. */
function interpolated(text: string): string {
  return text.replace(/\$\{\w+:-([^}]*)\}/g, "$1").replace(/\$\{\w+:\+[^}]*\}/g, "")
    .replaceAll("$$", () => "$");
}

/** The task a service runs. */
function taskOf({ command, entrypoint }: Parsed): string {
  return entrypoint === undefined ? command[0] : entrypoint.at(-1);
}

Deno.test("compose.yaml runs every program, and each service runs a task of deno.json", () => {
  const run = ours.map(([, each]) => taskOf(each));
  assert.deepEqual([...run].sort(), ["consumer", "ingress", "migrate", "model", "produce", "worker"]);
  for (const task of run) assert.ok(task in tasks, task);
});

Deno.test("compose.yaml sets variables of Ackpool that the program reads, and no others", () => {
  for (const [name, each] of ours) {
    const task = taskOf(each);
    // The local model and produce may read anything: their flags say so.
    const free = task === "model" || task === "produce";
    for (const variable of Object.keys(each.environment ?? {})) {
      assert.ok(isVariable(variable), `${name} sets ${variable}`);
      assert.ok(free || reads(task, variable), `${name} sets ${variable}, which it does not read`);
    }
  }
});

Deno.test("compose.yaml sets what consumer, worker, ingress and migrate need, without a key too", () => {
  parseConsumer(environmentOf("consumer"));
  parseWorker(environmentOf("worker"));
  const needs: Readonly<Record<string, VariableName>> = { ingress: "WORKER_URL", migrate: "DATABASE_URL" };
  for (const [name, variable] of Object.entries(needs)) readVariables([variable], environmentOf(name));
});

Deno.test("compose.yaml calls the local model where no key is set, and OpenAI where one is", () => {
  assert.equal(
    environmentOf("worker")("OPENAI_BASE_URL"),
    `http://model:${service("model").environment.PORT}/v1`,
  );
  const [asked] = dockerfile().filter(({ name }) => name === "HEALTHCHECK");
  assert.ok(asked?.rest.includes(`http://127.0.0.1:${service("model").environment.PORT}/livez`));
  const [file] = service("worker").env_file;
  const hosted = file.replace(/\$\{\w+:\+([^}]*)\}/, "$1");
  assert.notEqual(hosted, interpolated(file));
  assert.equal(interpolated(envFileOf(hosted)["OPENAI_BASE_URL"] ?? ""), "https://api.openai.com/v1");
});

Deno.test("compose.yaml's addresses lead to services and the ports they listen on", () => {
  const port = (name: string) => String(service(name).environment.PORT);
  for (const name of ["consumer", "ingress"]) {
    assert.equal(service(name).environment.WORKER_URL, `http://worker:${port("worker")}`);
  }
  assert.deepEqual(service("ingress").ports, [`127.0.0.1:8000:${port("ingress")}`]);
  assert.deepEqual(service("consumer").ports, ["127.0.0.1:8080-8084:8080"]);
  assert.equal(service("consumer").environment.HEALTH_PORT, 8080);
  const listener = /PLAINTEXT:\/\/(kafka:\d+)/.exec(service("kafka").environment.KAFKA_ADVERTISED_LISTENERS)
    ?.[1];
  assert.equal(service("consumer").environment.KAFKA_BROKERS, listener);
  assert.equal(new URL(environmentOf("worker")("DATABASE_URL") ?? "").hostname, "postgres");
});

Deno.test("compose.yaml makes the topic that the consumer reads", () => {
  const { KAFKA_TOPIC } = service("consumer").environment;
  assert.ok(service("topics").command.includes(`--topic=${KAFKA_TOPIC}`));
  assert.equal(service("produce").environment.KAFKA_TOPIC, KAFKA_TOPIC);
});

Deno.test("compose.yaml lets workers be scaled: no fixed name, no port on the machine", () => {
  for (const [name, each] of services) assert.equal(each.container_name, undefined, name);
  assert.equal(service("worker").ports, undefined);
});

Deno.test("compose.yaml starts things in order: migrated before workers, topic before consumer", () => {
  assert.equal(service("worker").depends_on.migrate.condition, "service_completed_successfully");
  assert.equal(service("consumer").depends_on.topics.condition, "service_completed_successfully");
  assert.equal(service("migrate").depends_on.postgres.condition, "service_healthy");
  assert.equal(service("topics").depends_on.kafka.condition, "service_healthy");
});

Deno.test("compose.yaml waits longer for a service to stop than SHUTDOWN_GRACE_MS", () => {
  for (const name of ["consumer", "worker", "ingress"]) {
    const graceMs = Number.parseInt(service(name).stop_grace_period) * 1000;
    assert.ok(graceMs >= Number(environmentOf(name)("SHUTDOWN_GRACE_MS")) + GOODBYE_MS, name);
  }
  assert.equal(String(service("worker").environment.SHUTDOWN_GRACE_MS), variables.SHUTDOWN_GRACE_MS.fallback);
});

Deno.test("compose.yaml confines every service: read-only, no capabilities, no new privileges", () => {
  for (const [name, each] of services) {
    assert.equal(each.read_only, true, name);
    assert.deepEqual(each.cap_drop, ["ALL"], name);
    assert.deepEqual(each.security_opt, ["no-new-privileges:true"], name);
    assert.ok(!/^(0|root)(:|$)/.test(String(each.user ?? "")) && each.privileged === undefined, name);
  }
});

Deno.test("compose.yaml bounds every service's memory, ours as Kubernetes does", () => {
  for (const [name, { mem_limit }] of Object.entries<Parsed>(compose.services)) {
    assert.match(mem_limit ?? "", /^\d+[mg]$/, name);
  }
  for (const name of ["consumer", "worker", "ingress", "migrate"]) {
    const [workload] = manifestsOf(`deploy/kubernetes/base/${name}.yaml`);
    const { memory } = workload.spec.template.spec.containers[0].resources.limits;
    assert.equal(compose.services[name].mem_limit, memory.replace("Mi", "m"), name);
  }
});

Deno.test("compose.yaml pins other people's images to a full version", () => {
  for (const [name, { image, build }] of services) {
    if (build === undefined) assert.match(image, /:v?\d+\.\d+(\.\d+)?(-[\w.]+)?$/, name);
  }
});

Deno.test("compose.yaml starts produce, Prometheus and Grafana only when asked", () => {
  const profiles = services.filter(([, each]) => each.profiles).map((
    [name, each],
  ) => [name, ...each.profiles]);
  assert.deepEqual(Object.fromEntries(profiles), {
    produce: "produce",
    prometheus: "observability",
    grafana: "observability",
  });
});
