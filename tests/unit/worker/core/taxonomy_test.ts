// Tests of the worker's taxonomy.

import assert from "node:assert/strict";
import { labelNamed, labelNames, parseTaxonomy, TaxonomyError } from "../../../../worker/core/taxonomy.ts";
import defaultTaxonomy from "../../../../worker/taxonomy.json" with { type: "json" };

Deno.test("parseTaxonomy() accepts the five labels that come with Ackpool", () => {
  assert.deepEqual(labelNames(parseTaxonomy(defaultTaxonomy)), [
    "billing",
    "bug",
    "feature_request",
    "account",
    "other",
  ]);
});

Deno.test("parseTaxonomy() names duplicates, empty descriptions and unusable names at once", () => {
  const label = (name: string, description = "something") => ({ name, description });
  assert.throws(
    () =>
      parseTaxonomy({ labels: [label("Bug"), label("bug "), label("b\nug"), label("BUG"), label("x", " ")] }),
    (error) => {
      assert.ok(error instanceof TaxonomyError);
      assert.deepEqual(error.problems, [
        'Taxonomy label 2 has a name that is not 1 to 64 letters, digits or _ . & / -: "bug "',
        'Taxonomy label 3 has a name that is not 1 to 64 letters, digits or _ . & / -: "b\\nug"',
        'Taxonomy label "BUG" is there twice',
        'Taxonomy label "x" has an empty description',
      ]);
      return true;
    },
  );
});

Deno.test("parseTaxonomy() refuses a single label and a file of another shape", () => {
  assert.throws(() => parseTaxonomy({ labels: [{ name: "a", description: "b" }] }), /fewer than two/);
  assert.throws(() => parseTaxonomy({ labels: [{ name: 1 }] }), /labels\.0\.name/);
  assert.throws(() => parseTaxonomy([]), TaxonomyError);
});

Deno.test("labelNamed() ignores case, spaces and hyphens and answers the taxonomy's own spelling", () => {
  const taxonomy = parseTaxonomy(defaultTaxonomy);
  assert.equal(labelNamed(taxonomy, "Feature Request"), "feature_request");
  assert.equal(labelNamed(taxonomy, "feature-request"), "feature_request");
  assert.equal(labelNamed(taxonomy, "refund"), undefined);
});
