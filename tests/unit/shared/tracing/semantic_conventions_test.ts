// Tests that the version is pinned where people look, and that names are of the namespaces that hold no text.

import assert from "node:assert/strict";
import { Attribute, CONVENTIONS_VERSION } from "../../../../shared/tracing/semantic_conventions.ts";

const FILE = new URL("../../../../shared/tracing/semantic_conventions.ts", import.meta.url);

Deno.test("the conventions' version stands in the first line of their file", async () => {
  const [first = ""] = (await Deno.readTextFile(FILE)).split("\n");
  assert.ok(first.includes(`semantic conventions ${CONVENTIONS_VERSION}`), first);
});

Deno.test("no attribute is one that carries what was asked, answered, keyed or sent to the database", () => {
  const telling = /\.(messages|instructions|key|text|parameter|body|url|full|query$|header)/;
  assert.deepEqual(Object.values(Attribute).filter((name) => telling.test(name)), []);
});
