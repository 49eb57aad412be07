// Holds Dockerfile and .dockerignore against the code: which programs and packages the image has, and as whom it runs.

import assert from "node:assert/strict";
import { type DenoJson, imageDenoJson, packagesOf, programOf } from "../../../deploy/image/needed.ts";
import { createAdmin } from "../../../consumer/admin/app.ts";
import { Registry } from "prom-client";
import { variables } from "../../../shared/config/variables.ts";
import { VERSION } from "../../../shared/version.ts";
import { commandOf } from "../../../shared/deno_task.ts";
import { dockerfile, mayRead, reads, tasks, textOf, yamlOf } from "../../support/images/deploy_files.ts";
import { readModules } from "../../support/module_graph.ts";

/** The tasks that are for production: what consumer/ and worker/ have. */
const PRODUCTION = Object.keys(tasks).filter((task) =>
  / (consumer|worker)\/[\w/]+\.ts/.test(commandOf(tasks[task]) ?? "")
);
/** What compose adds for a first try. */
const LOCAL = ["model", "produce"];

const denoJson: DenoJson = JSON.parse(textOf("deno.json"));
const programs = [...new Set(PRODUCTION.map((task) => programOf(task, tasks)))];

Deno.test("the image installs every program of production and no other", () => {
  assert.deepEqual(installed("consumer/main.ts"), [...programs].sort());
  assert.deepEqual(installed("local/"), LOCAL.map((task) => programOf(task, tasks)).sort());
});

Deno.test("imageDenoJson() keeps the tasks of the programs and the packages they import", () => {
  const image = imageDenoJson(denoJson, programs, textOf);
  assert.deepEqual(Object.keys(image.tasks).sort(), [...PRODUCTION].sort());
  for (const name of ["kafkajs", "openai", "postgres", "hono", "undici", "prom-client", "zod"]) {
    assert.ok(name in image.imports, name);
  }
});

Deno.test("imageDenoJson() leaves out what only start and the tests need", () => {
  const image = imageDenoJson(denoJson, programs, textOf);
  const unwanted = /pglite|kafka-crab|energetic|fast-check|^yaml$/;
  assert.deepEqual(Object.keys(image.imports).filter((name) => unwanted.test(name)), []);
});

Deno.test("packagesOf() finds what every module of the programs imports", async () => {
  const graph = new Map(
    (await readModules(["consumer", "worker", "shared"])).map((each) => [each.path, each]),
  );
  const reached = new Set<string>();
  const visit = (path: string) => {
    if (reached.has(path)) return;
    reached.add(path);
    graph.get(path)?.imports.forEach(({ target }) => graph.has(target) && visit(target));
  };
  programs.forEach(visit);
  const packages = [...reached].flatMap((path) => graph.get(path)?.imports.map(({ target }) => target) ?? [])
    .filter((target) => !graph.has(target) && !target.startsWith("node:") && !isFileOfOurs(target));
  assert.deepEqual([...packagesOf(programs, textOf)].sort(), [...new Set(packages)].sort());
});

/** Text and JSON that lies beside the modules. */
const isFileOfOurs = (target: string) => /^(consumer|worker|shared)\//.test(target);

Deno.test("imageDenoJson() keeps what JSX is compiled with", () => {
  const { compilerOptions } = imageDenoJson(denoJson, programs, textOf);
  assert.deepEqual([compilerOptions?.["jsx"], compilerOptions?.["jsxImportSource"]], [
    "precompile",
    "hono/jsx",
  ]);
});

Deno.test("imageDenoJson() keeps a task's description", () => {
  const worker = { description: "Labels tickets", command: "deno run --allow-net worker/main.ts" };
  const evaluation = { description: "Measures labellers", command: "deno run -A local/eval/main.ts" };
  const described: DenoJson = { imports: {}, tasks: { worker, eval: evaluation } };
  assert.equal(programOf("worker", described.tasks), "worker/main.ts");
  assert.deepEqual(imageDenoJson(described, ["worker/main.ts"], textOf).tasks, { worker });
});

Deno.test("programOf() refuses a task that is not one program", () => {
  assert.throws(() => programOf("ok", { ok: "deno fmt && deno lint" }), /Task ok is not "deno run/);
  assert.throws(() => programOf("nothing", {}), /current value is undefined/);
  assert.equal(programOf("pause", { pause: "deno run --allow-net a/main.ts pause" }), "a/main.ts");
});

Deno.test("the Dockerfile copies what .dockerignore lets through", () => {
  const ignored = textOf(".dockerignore").split("\n");
  const copied = dockerfile().filter(({ name, rest }) => name === "COPY" && !rest.startsWith("--from"));
  for (const { rest } of copied) {
    for (const path of rest.split(" ").slice(0, -1)) assert.ok(ignored.includes(`!${path}`), path);
  }
});

Deno.test("the image's bases are pinned to one full version of Deno", () => {
  const version = dockerfile().find(({ rest }) => rest.startsWith("DENO_VERSION="))?.rest.split("=")[1];
  assert.match(version ?? "", /^\d+\.\d+\.\d+$/);
  const external = dockerfile().filter(({ name, rest }) => name === "FROM" && rest.includes("/"));
  assert.ok(external.length > 0);
  for (const { rest } of external) assert.match(rest, /:(distroless-)?\$\{DENO_VERSION\}/);
});

Deno.test("the image, and the tag that the production overlay asks for, have the version of --version", () => {
  const label = dockerfile().findLast(({ name }) => name === "LABEL")?.rest ?? "";
  assert.ok(label.includes(`org.opencontainers.image.version="${VERSION}"`), label);
  const overlay = yamlOf("deploy/kubernetes/overlays/production/kustomization.yaml");
  assert.equal(String(overlay.images[0].newTag), VERSION);
});

Deno.test("the image runs as a numeric user that is not root, and its entry point is deno task", () => {
  const last = (name: string) => dockerfile().filter((each) => each.name === name).at(-1)?.rest ?? "";
  assert.match(last("USER"), /^[1-9]\d*:[1-9]\d*$/);
  assert.deepEqual(JSON.parse(last("ENTRYPOINT")), ["/bin/deno", "task", "--quiet"]);
});

Deno.test("the image's health check asks a path that there is, on PORT and ADMIN_PORT", async () => {
  const check = dockerfile().filter(({ name }) => name === "HEALTHCHECK").at(-1)?.rest ?? "";
  const urls = [...check.matchAll(/http:\/\/[^"]+/g)].map(([url]) => new URL(url));
  assert.deepEqual(urls.map(({ port }) => port), [variables.PORT.fallback, variables.ADMIN_PORT.fallback]);
  const app = createAdmin({
    causes: () => [],
    registry: new Registry(),
    scale: () => assert.fail("/livez does not look at the backlog"),
  });
  for (const { pathname } of urls) assert.equal((await app.request(pathname)).status, 200);
  const script = /\S+\.ts/.exec(check.replace(/[",]/g, " "))?.[0] ?? "";
  assert.match(textOf(script), /Deno\.args/);
});

/** The programs of the `install.sh` line that has this one. */
function installed(program: string): string[] {
  const line = dockerfile().find(({ name, rest }) => name === "RUN" && rest.includes(` ${program}`));
  return (line?.rest.split(" ") ?? []).filter((word) => word.endsWith(".ts")).sort();
}

Deno.test("each program's permissions let it read the variables that it reads, and not its whole environment", () => {
  for (const task of ["consumer", "drain", "worker", "ingress", "migrate"]) {
    const read = Object.keys(variables).filter((name) => reads(task, name));
    assert.ok(read.length > 2, task);
    assert.deepEqual(read.filter((name) => !mayRead(task, name)), [], task);
    assert.doesNotMatch(
      commandOf(tasks[task]) ?? "",
      /--allow-env(?!=)|--allow-all|\s-A\b|--allow-run|--allow-ffi/,
      task,
    );
  }
});
