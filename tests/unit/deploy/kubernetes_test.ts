// Holds deploy/kubernetes against the code: commands, variables, ports, probes, time to stop, and what KEDA asks.

import assert from "node:assert/strict";
import { Registry } from "prom-client";
import { createHealth } from "../../../consumer/admin/app.ts";
import { scaleOf } from "../../../consumer/core/scale.ts";
import { parseConfig as parseConsumer } from "../../../consumer/config.ts";
import { idleIngress } from "../../support/workers/idle_ingress.ts";
import { parseConfig as parseWorker } from "../../../worker/config.ts";
import { livezRoute } from "../../../worker/routes/livez.ts";
import { readyzRoute } from "../../../worker/routes/readyz.ts";
import {
  envFileOf,
  isVariable,
  manifestsOf,
  manifestsUnder,
  type Parsed,
  reads,
  tasks,
  yamlOf,
} from "../../support/images/deploy_files.ts";

const base = manifestsUnder("deploy/kubernetes/base");
const drain = manifestsUnder("deploy/kubernetes/examples/drain");
const production = manifestsUnder("deploy/kubernetes/overlays/production");
const config = envFileOf("deploy/kubernetes/base/config.env");
const productionConfig = envFileOf("deploy/kubernetes/overlays/production/config.env");

const GOODBYE_SECONDS = 10;
const NAME = "app.kubernetes.io/name";

/** What runs pods, with the template of its pods. */
const workloads: readonly { readonly name: string; readonly kind: string; readonly pod: Parsed }[] = [
  ...base,
  ...drain,
].flatMap(({ kind, metadata: { name }, spec }) => {
  const template = kind === "CronJob" ? spec.jobTemplate.spec.template : spec?.template;
  return template === undefined ? [] : [{ name, kind, pod: template }];
});

const one = (kind: string, name: string): Parsed =>
  base.find((each) => each.kind === kind && each.metadata.name === name);
const containerOf = ({ pod }: { readonly pod: Parsed }): Parsed => pod.spec.containers[0];

/** Paths that a program answers other than with 404. */
async function answers(task: string, path: string): Promise<boolean> {
  if (task === "consumer" || task === "drain") {
    const scale = () => assert.fail("Only /scale asks for it");
    const app = createHealth({ causes: () => [], registry: new Registry(), scale });
    return (await app.request(path)).status === 200;
  }
  if (task === "ingress") return (await idleIngress(config).request(path)).status === 200;
  // Only the paths are looked at.
  return [livezRoute(), readyzRoute({} as never)].some((route) => route.path === path);
}

Deno.test("the manifests run consumer, worker, ingress, migrate and a drain, all from one image", () => {
  const commands = workloads.map((each) => [each.name, ...containerOf(each).args]);
  assert.deepEqual(commands.sort(), [
    ["ackpool-consumer", "consumer"],
    ["ackpool-drain", "drain"],
    ["ackpool-ingress", "ingress"],
    ["ackpool-migrate", "migrate", "--grant", "ackpool_worker"],
    ["ackpool-worker", "worker"],
  ]);
  for (const each of workloads) {
    assert.equal(containerOf(each).image, "ackpool");
    assert.ok(containerOf(each).args[0] in tasks);
  }
});

Deno.test("the manifests set variables of Ackpool that the program reads, and no others", () => {
  for (const name of [...Object.keys(config), ...Object.keys(productionConfig)]) {
    assert.ok(isVariable(name), name);
  }
  const patched = production.filter(({ kind }) => kind === "Deployment").map((each) => ({
    pod: each.spec.template,
    args: containerOf(workloads.find(({ name }) => name === each.metadata.name) ?? assert.fail()).args,
  }));
  for (const each of [...workloads, ...patched]) {
    const task = "args" in each ? each.args[0] : containerOf(each).args[0];
    for (const { name } of containerOf(each).env ?? []) {
      assert.ok(isVariable(name) && reads(task, name), `${task}: ${name}`);
    }
  }
});

Deno.test("the manifests set what consumer and worker need", () => {
  const secrets: Record<string, string> = {
    DATABASE_URL: "postgres://postgres:5432/ackpool",
    KAFKA_USERNAME: "set in the Secret",
    KAFKA_PASSWORD: "set in the Secret",
  };
  const environment = (name: string, overlay?: Readonly<Record<string, string>>) => {
    const patches = overlay === undefined
      ? []
      : production.filter((each) => each.metadata.name === name && each.spec?.template);
    const pods = [
      ...workloads.filter((each) => each.name === name),
      ...patches.map(({ spec }) => ({ pod: spec.template })),
    ];
    const fromSecrets = pods.flatMap((each) => containerOf(each).env ?? []).filter(({ valueFrom }: Parsed) =>
      valueFrom?.secretKeyRef && !valueFrom.secretKeyRef.optional
    ).map(({ name }: Parsed) => name);
    const all: Record<string, string | undefined> = { ...config, ...overlay };
    return (variable: string) =>
      all[variable] ?? (fromSecrets.includes(variable) ? secrets[variable] : undefined);
  };
  parseConsumer(environment("ackpool-consumer"));
  parseConsumer(environment("ackpool-consumer", productionConfig));
  // The key of a provider is optional where OPENAI_BASE_URL says which one it is.
  const worker = environment("ackpool-worker");
  const model = "http://vllm.models:8000/v1";
  parseWorker((name) => name === "OPENAI_BASE_URL" ? model : worker(name));
  assert.throws(() => parseWorker(worker), /OPENAI_API_KEY or OPENAI_BASE_URL is not set/);
});

Deno.test("the manifests open the ports that config.env says, and services lead to them", () => {
  const ports = { consumer: config["HEALTH_PORT"], worker: config["PORT"], ingress: config["PORT"] };
  for (const [name, port] of Object.entries(ports)) {
    const workload = workloads.find((each) => each.name === `ackpool-${name}`) ?? assert.fail(name);
    const [opened] = containerOf(workload).ports;
    assert.equal(String(opened.containerPort), port);
    const service = one("Service", `ackpool-${name}`);
    assert.deepEqual(service.spec.selector, { [NAME]: workload.pod.metadata.labels[NAME] });
    assert.deepEqual(service.spec.ports.map(({ port, targetPort }: Parsed) => [String(port), targetPort]), [
      [port, opened.name],
    ]);
    assert.equal(workload.pod.metadata.annotations?.["prometheus.io/port"] ?? port, port);
  }
});

Deno.test("the worker's service is headless, and WORKER_URL is its name and port", () => {
  assert.equal(one("Service", "ackpool-worker").spec.clusterIP, "None");
  assert.equal(config["WORKER_URL"], `http://ackpool-worker:${config["PORT"]}`);
});

Deno.test("the manifests probe paths that the program answers", async () => {
  let probes = 0;
  for (const workload of workloads) {
    const container = containerOf(workload);
    for (const probe of ["startupProbe", "livenessProbe", "readinessProbe"]) {
      if (container[probe] === undefined) continue;
      const { path, port } = container[probe].httpGet;
      assert.ok(await answers(container.args[0], path), `${workload.name}: ${path}`);
      assert.ok(container.ports.some(({ name }: Parsed) => name === port), `${workload.name}: ${port}`);
      probes += 1;
    }
  }
  assert.equal(probes, 11);
});

Deno.test("a liveness probe never asks /readyz: an outage must not restart anything", () => {
  for (const workload of workloads) {
    assert.equal(containerOf(workload).livenessProbe?.httpGet.path ?? "/livez", "/livez", workload.name);
  }
});

Deno.test("the manifests give a pod longer to stop than SHUTDOWN_GRACE_MS", () => {
  const graceSeconds = Number(config["SHUTDOWN_GRACE_MS"]) / 1000;
  for (const { name, pod } of workloads.filter((each) => each.name !== "ackpool-migrate")) {
    assert.ok(pod.spec.terminationGracePeriodSeconds >= graceSeconds + GOODBYE_SECONDS, name);
  }
});

Deno.test("every pod satisfies the restricted pod security standard and bounds its memory", () => {
  for (const workload of workloads) {
    const { spec } = workload.pod;
    assert.equal(spec.securityContext.runAsNonRoot, true);
    assert.equal(spec.securityContext.seccompProfile.type, "RuntimeDefault");
    assert.deepEqual(containerOf(workload).securityContext, {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    });
    assert.equal(spec.automountServiceAccountToken, false);
    assert.ok(containerOf(workload).resources.limits.memory, workload.name);
  }
});

Deno.test("KEDA asks every consumer's /scale for a field that it has, and adds up", async () => {
  const { spec } = one("ScaledObject", "ackpool-worker");
  const [{ type, metadata }] = spec.triggers;
  assert.deepEqual([type, metadata.aggregateFromKubeServiceEndpoints, metadata.aggregationType], [
    "metrics-api",
    "true",
    "sum",
  ]);
  const { hostname, port, pathname } = new URL(metadata.url);
  assert.deepEqual([hostname, port], ["ackpool-consumer.namespace.svc", config["HEALTH_PORT"]]);
  const idle = { inFlight: 0, permits: 0, partitions: [] };
  const bounds = { min: 0, max: 10, targetDrainMs: 60_000 };
  const app = createHealth({
    causes: () => [],
    registry: new Registry(),
    scale: () => scaleOf(idle, { bounds, permitsPerReplica: 8, permitMs: undefined, replicas: 0 }, 0),
  });
  const scale = await (await app.request(pathname)).json();
  assert.equal(scale[metadata.valueLocation], 0);
});

Deno.test("KEDA asks every ingress, too, so that a call that waits wakes a worker", async () => {
  const { spec } = one("ScaledObject", "ackpool-worker");
  const [ofConsumers, { type, metadata }] = spec.triggers;
  const { url, ...same } = ofConsumers.metadata;
  assert.deepEqual([type, { url, ...same }], ["metrics-api", { ...metadata, url }]);
  const { hostname, port, pathname } = new URL(metadata.url);
  assert.deepEqual([hostname, port], ["ackpool-ingress.namespace.svc", config["PORT"]]);
  const scale = await (await idleIngress(config).request(pathname)).json();
  assert.equal(scale[metadata.valueLocation], 0);
  // The port is open to all, KEDA too.
  const [rule] = one("NetworkPolicy", "ackpool-ingress").spec.ingress;
  assert.equal(rule.from, undefined);
});

Deno.test("KEDA finds the consumers at zero workers, when none of them is ready", () => {
  assert.equal(one("Service", "ackpool-consumer").spec.publishNotReadyAddresses, true);
});

Deno.test("KEDA bounds the workers as WORKER_MIN and WORKER_MAX do, from 0 to 10", () => {
  const { spec } = one("ScaledObject", "ackpool-worker");
  assert.deepEqual([spec.minReplicaCount, spec.maxReplicaCount], [0, 10]);
  assert.deepEqual([config["WORKER_MIN"], config["WORKER_MAX"]], ["0", "10"]);
  assert.equal(one("Deployment", "ackpool-worker").spec.replicas, undefined);
});

Deno.test("KEDA runs 2 to 5 consumers by lag, and never more than there are partitions", () => {
  const { spec } = one("ScaledObject", "ackpool-consumer");
  assert.deepEqual([spec.minReplicaCount, spec.maxReplicaCount], [2, 5]);
  const [{ type, metadata }] = spec.triggers;
  assert.deepEqual([type, metadata.allowIdleConsumers], ["kafka", "false"]);
  for (const [key, value] of Object.entries(metadata).filter(([key]) => key.endsWith("FromEnv"))) {
    assert.ok(String(value) in config, `${key}: ${value}`);
  }
  assert.ok("topicFromEnv" in metadata);
  assert.equal(one("Deployment", "ackpool-consumer").spec.replicas, undefined);
});

Deno.test("scaled and disrupted are workloads that there are", () => {
  const labels = workloads.map(({ pod }) => pod.metadata.labels[NAME]);
  for (const { kind, spec } of base) {
    if (kind === "ScaledObject") assert.ok(one("Deployment", spec.scaleTargetRef.name));
    if (kind === "PodDisruptionBudget") assert.ok(labels.includes(spec.selector.matchLabels[NAME]));
  }
});

Deno.test("network policies name every workload, and let consumer and ingress reach the workers' port", () => {
  const policies = base.filter(({ kind }) => kind === "NetworkPolicy");
  const named = policies.flatMap(({ spec }) => namesOf(spec.podSelector));
  assert.deepEqual([...new Set(named)].sort(), workloads.map(({ pod }) => pod.metadata.labels[NAME]).sort());
  const [closed] = policies.filter(({ spec }) => Object.keys(spec.podSelector).length === 0);
  assert.deepEqual([closed?.spec.policyTypes, closed?.spec.ingress], [["Ingress", "Egress"], undefined]);
  const [rule] = one("NetworkPolicy", "ackpool-worker").spec.ingress;
  const callers = rule.from.filter(({ namespaceSelector }: Parsed) => namespaceSelector === undefined)
    .flatMap(({ podSelector }: Parsed) => namesOf(podSelector ?? {}));
  assert.deepEqual(callers, ["ackpool-consumer", "ackpool-drain", "ackpool-ingress"]);
});

Deno.test("an overlay changes the ports of Kafka, Postgres and the LLM in one list each", () => {
  const portsIn = (manifests: readonly Parsed[], name: string) =>
    manifests.find(({ kind, metadata }) => kind === "NetworkPolicy" && metadata.name === name)?.spec.egress
      .flatMap(({ ports }: Parsed) => ports).map(({ port, endPort }: Parsed) => [port, endPort ?? port]);
  const includes = (name: string, port: number) =>
    portsIn(base, name).some(([from, to]: [number, number]) => from <= port && port <= to);
  const usual = {
    "ackpool-to-kafka": [9092, 9093, 9094, 9096, 9098],
    "ackpool-to-postgres": [5432, 6432, 6543],
    "ackpool-to-model": [443, 8000, 11434],
  };
  for (const [name, ports] of Object.entries(usual)) {
    for (const port of ports) assert.ok(includes(name, port), `${name}: ${port}`);
    assert.ok(portsIn(production, name)?.length > 0, `the overlay has ports for ${name}`);
  }
  const [broker] = productionConfig["KAFKA_BROKERS"]?.split(",") ?? [];
  assert.deepEqual(portsIn(production, "ackpool-to-kafka"), [Array(2).fill(Number(broker?.split(":")[1]))]);
  const elsewhere = base.filter(({ kind, metadata }) =>
    kind === "NetworkPolicy" && !metadata.name.startsWith("ackpool-to-")
  );
  const open = elsewhere.flatMap(({ spec }) => spec.egress ?? []).filter(({ to }: Parsed) =>
    to === undefined
  );
  assert.deepEqual(open, [], "every other rule says to whom");
});

Deno.test("no policy lets a whole namespace in: pods are named, too", () => {
  const rules = base.filter(({ kind }) => kind === "NetworkPolicy").flatMap(({ spec }) => spec.ingress ?? [])
    .flatMap(({ from }: Parsed) => from ?? []).filter(({ namespaceSelector }: Parsed) => namespaceSelector);
  assert.equal(rules.length, 3);
  for (const { podSelector } of rules) assert.ok(Object.keys(podSelector?.matchLabels ?? {}).length > 0);
});

Deno.test("the operator of Prometheus gets the alerts word for word, and ports that the services have", () => {
  const [monitor, rules] = ["monitor", "rules"].flatMap((name) =>
    manifestsOf(`deploy/kubernetes/examples/prometheus-operator/${name}.yaml`)
  );
  assert.deepEqual(rules.spec, yamlOf("deploy/observability/alerts.yaml"));
  const opened = base.filter(({ kind }) => kind === "Service")
    .flatMap(({ spec }) => spec.ports.map(({ name }: Parsed) => name));
  assert.deepEqual(
    monitor.spec.endpoints.map(({ port }: Parsed) => port).sort(),
    [...new Set(opened)].sort(),
  );
});

Deno.test("the plain autoscaler keeps KEDA's bounds, but a worker stays", () => {
  const bounds = manifestsOf("deploy/kubernetes/examples/hpa/hpa.yaml").map(({ spec }) => [
    spec.scaleTargetRef.name,
    spec.minReplicas,
    spec.maxReplicas,
  ]);
  assert.deepEqual(bounds, [["ackpool-worker", 1, 10], ["ackpool-consumer", 2, 5]]);
  for (const [name] of bounds) {
    const { template } = one("Deployment", String(name)).spec;
    assert.ok(containerOf({ pod: template }).resources.requests.cpu, "a share of what is asked for");
  }
});

Deno.test("what is open to the world leads to the ingress, over TLS, and needs the token of people", () => {
  const [edge] = manifestsOf("deploy/kubernetes/examples/public/ingress.yaml");
  const [route] = manifestsOf("deploy/kubernetes/examples/public/http_route.yaml");
  const [host] = edge.spec.tls.flatMap(({ hosts }: Parsed) => hosts);
  assert.deepEqual([edge.spec.rules[0].host, ...route.spec.hostnames], [host, host]);
  const [{ backend }] = edge.spec.rules[0].http.paths;
  const [opened] = one("Service", backend.service.name).spec.ports;
  assert.equal(backend.service.port.name, opened.name);
  assert.deepEqual(route.spec.rules[0].backendRefs, [{ name: backend.service.name, port: opened.port }]);
  for (const patch of manifestsOf("deploy/kubernetes/examples/public/token.yaml")) {
    const [{ name, valueFrom }] = containerOf({ pod: patch.spec.template }).env;
    assert.deepEqual([name, valueFrom.secretKeyRef.optional], ["INGRESS_TOKEN", false]);
  }
});

function namesOf({ matchLabels, matchExpressions }: Parsed): string[] {
  const listed = (matchExpressions ?? []).flatMap(({ values }: Parsed) => values);
  return [...listed, ...(matchLabels?.[NAME] ? [matchLabels[NAME]] : [])];
}
