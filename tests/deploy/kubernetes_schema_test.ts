// Kubernetes's and KEDA's own schemas take what kustomize makes of deploy/kubernetes, without a field they do not know.

import assert from "node:assert/strict";
import { parseAllDocuments } from "yaml";
import { manifestsOf, type Parsed } from "../support/images/deploy_files.ts";
import { kedaSource, kustomizeBuild, pythonTool, run } from "../support/images/deploy_tools.ts";

const FOLDERS = [
  "base",
  "overlays/production",
  "examples/drain",
  "examples/hpa",
  "examples/prometheus-operator",
  "examples/public",
];
/** Not Kubernetes's own, so its schemas do not know them. */
const OF_OTHERS = ["keda.sh/", "monitoring.coreos.com/"];

/** The oldest Kubernetes that gets fixes, and a newer one. */
const KUBERNETES = ["1.33", "1.35"];

const built = new Map<string, string>();
const temporary = Deno.makeTempDirSync({ prefix: "ackpool-kubernetes-" });
addEventListener("unload", () => Deno.removeSync(temporary, { recursive: true }));

for (const folder of FOLDERS) {
  Deno.test(`kustomize builds deploy/kubernetes/${folder}`, async () => {
    const { code, stdout, output } = await run([...await kustomizeBuild(), `deploy/kubernetes/${folder}`]);
    assert.equal(code, 0, output);
    const path = `${temporary}/${folder.replace("/", "-")}.yaml`;
    await Deno.writeTextFile(path, stdout);
    built.set(folder, path);
  });

  Deno.test(`Kubernetes's schemas take deploy/kubernetes/${folder}`, async () => {
    const validate = await pythonTool("kubernetes-validate");
    for (const version of KUBERNETES) {
      const { code, output } = await run([...validate, "--strict", "-k", version, built.get(folder) ?? ""]);
      assert.equal(code, 0, output);
      const unknown = output.split("\n").filter((line) =>
        line.startsWith("WARN") && !OF_OTHERS.some((group) => line.includes(group))
      );
      assert.deepEqual(unknown, []);
    }
  });

  Deno.test(`KEDA's definitions take deploy/kubernetes/${folder}`, async () => {
    const source = await kedaSource();
    const objects = parseAllDocuments(await Deno.readTextFile(built.get(folder) ?? "")).map((each) =>
      each.toJS()
    )
      .filter(({ apiVersion }: Parsed) => apiVersion.startsWith("keda.sh/"));
    assert.equal(objects.length > 0, folder !== "examples/hpa");
    for (const object of objects) await assertValid(object, await definitionOf(source, object.kind));
  });
}

for (const [folder, namespace] of [["base", "ackpool"], ["overlays/production", "tickets"]] as const) {
  Deno.test(`KEDA asks the namespace that ${folder} is put in`, async () => {
    const copy = `${temporary}/${namespace}`;
    await run(["cp", "-r", "deploy/kubernetes", copy]);
    const file = `${copy}/${folder}/kustomization.yaml`;
    const text = await Deno.readTextFile(file);
    await Deno.writeTextFile(file, text.replace("namespace: ackpool", `namespace: ${namespace}`));
    const { code, stdout, output } = await run([...await kustomizeBuild(), `${copy}/${folder}`]);
    assert.equal(code, 0, output);
    const hosts = [...stdout.matchAll(/url: http:\/\/([^:]+):/g)].map(([, host]) => host);
    assert.deepEqual(hosts, [`ackpool-consumer.${namespace}.svc`, `ackpool-ingress.${namespace}.svc`]);
  });
}

Deno.test("KEDA's scalers know every name that the triggers give them", async () => {
  const source = await kedaSource();
  const files: Readonly<Record<string, string>> = {
    "metrics-api": "metrics_api_scaler.go",
    kafka: "kafka_scaler.go",
  };
  const scaled = manifestsOf("deploy/kubernetes/base/scaling.yaml");
  const triggers = scaled.flatMap(({ spec }) => spec.triggers);
  assert.equal(triggers.length, 3);
  for (const { type, metadata } of triggers) {
    const text = await Deno.readTextFile(`${source}/pkg/scalers/${files[type]}`);
    const known = [...text.matchAll(/keda:"name=(\w+)[^"]*"/g)].flatMap(([tag, name]) =>
      tag.includes("resolvedEnv") ? [name, `${name}FromEnv`] : [name]
    );
    assert.deepEqual(Object.keys(metadata).filter((name) => !known.includes(name)), [], type);
  }
});

/** A resource definition's schema, in which unknown fields are mistakes. */
async function definitionOf(source: string, kind: string): Promise<Parsed> {
  const file = `${source}/config/crd/bases/keda.sh_${kind.toLowerCase()}s.yaml`;
  const [definition] = parseAllDocuments(await Deno.readTextFile(file)).map((each) => each.toJS());
  const [version] = definition.spec.versions;
  const { properties, ...schema } = version.schema.openAPIV3Schema;
  return strict({ ...schema, properties: { ...properties, metadata: { type: "object" } } });
}

function strict(schema: Parsed): Parsed {
  if (Array.isArray(schema)) return schema.map(strict);
  if (schema === null || typeof schema !== "object") return schema;
  const inner = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, strict(value)]));
  const open = schema.type !== "object" || schema.properties === undefined ||
    schema.additionalProperties !== undefined || schema["x-kubernetes-preserve-unknown-fields"];
  return open ? inner : { ...inner, additionalProperties: false };
}

async function assertValid(object: Parsed, schema: Parsed): Promise<void> {
  const [instance, definition] = [`${temporary}/object.json`, `${temporary}/schema.json`];
  await Deno.writeTextFile(instance, JSON.stringify(object));
  await Deno.writeTextFile(definition, JSON.stringify(schema));
  const { code, output } = await run([...await pythonTool("jsonschema"), "--instance", instance, definition]);
  assert.equal(code, 0, `${object.kind} ${object.metadata.name}: ${output}`);
}
