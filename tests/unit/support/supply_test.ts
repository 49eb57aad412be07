// Tests of what is taken from others: every package is whole, has an allowed licence, and stands in the SBOM.

import assert from "node:assert/strict";
import deno from "../../../deno.json" with { type: "json" };
import { idOf, lockPackages } from "../../support/supply/lock_packages.ts";
import { sbomOf } from "../../support/supply/sbom.ts";
import { licenceProblem, staleNames } from "../../support/supply/supply_rules.ts";

const packages = await lockPackages();

Deno.test("every package has an allowed licence, and every name in the lists is a dependency", () => {
  assert.deepEqual(packages.flatMap((each) => licenceProblem(each) ?? []), []);
  assert.deepEqual(staleNames(), []);
});

Deno.test("licenceProblem() takes one of several licences, and no other", () => {
  const [some] = packages;
  assert.ok(some);
  const problem = (licence: string | undefined, name = "x", isElsewhere = false) =>
    licenceProblem({ ...some, name, version: "1.0.0", licence, isElsewhere });
  assert.deepEqual([problem("MIT"), problem("(GPL-3.0 OR MIT)"), problem(undefined, "x", true)], [
    undefined,
    undefined,
    undefined,
  ]);
  assert.equal(problem("GPL-3.0"), "x@1.0.0 has the licence GPL-3.0, which is not allowed");
  assert.equal(problem("MIT AND GPL-3.0"), "x@1.0.0 has the licence MIT AND GPL-3.0, which is not allowed");
  assert.equal(problem(undefined), "x@1.0.0 does not say its licence: run deno install");
  assert.match(problem("MPL-2.0") ?? "", /not allowed/);
  assert.equal(problem("MPL-2.0", "axe-core"), undefined);
});

Deno.test("sbomOf() has every package with its hash, and every dependency it names", () => {
  const { components, dependencies } = sbomOf(packages) as {
    components: { "bom-ref": string; hashes: { content: string }[]; name: string; version: string }[];
    dependencies: { ref: string; dependsOn: string[] }[];
  };
  const refs = new Set(components.map((each) => each["bom-ref"]));
  assert.deepEqual(components.map(idOf), packages.map(idOf));
  assert.equal(refs.size, packages.length);
  assert.ok(components.every(({ hashes }) => /^[0-9a-f]{128}$/.test(hashes[0]?.content ?? "")));
  assert.deepEqual(dependencies.flatMap(({ dependsOn }) => dependsOn).filter((ref) => !refs.has(ref)), []);
  const [root] = dependencies;
  assert.equal(root?.dependsOn.length, Object.keys(deno.imports).length);
  const kafka = dependencies.find(({ ref }) => ref.startsWith("pkg:npm/kafka-crab-js@"));
  assert.equal(kafka?.dependsOn.length, 6);
  assert.ok(refs.has("pkg:npm/%40hono/node-server@2.1.9"));
});
