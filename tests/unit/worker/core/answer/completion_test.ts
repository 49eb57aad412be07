// Tests of the worker's completion.

import assert from "node:assert/strict";
import fc from "fast-check";
import { readCompletion } from "../../../../../worker/core/answer/completion.ts";
import { promptWriter } from "../../../../../worker/core/prompt.ts";
import { labelNames, parseTaxonomy } from "../../../../../worker/core/taxonomy.ts";
import defaultTaxonomy from "../../../../../worker/taxonomy.json" with { type: "json" };

const taxonomy = parseTaxonomy(defaultTaxonomy);
const { system, leaks } = promptWriter(taxonomy);
const read = (content: string) => readCompletion(content, taxonomy, leaks);

Deno.test("readCompletion() reads the JSON that was asked for", () => {
  assert.deepEqual(read('{"category":"bug","language":"pt-BR","reason":"It crashes."}'), {
    category: "bug",
    language: "pt-BR",
    reason: "It crashes.",
    span: { from: 13, to: 16 },
  });
});

Deno.test("readCompletion() reads JSON inside a Markdown fence", () => {
  assert.equal(read('```json\n{"category":"Bug"}\n```')?.category, "bug");
});

Deno.test("readCompletion() takes a plain-text answer that is a label and nothing else", () => {
  for (
    const content of [
      "Billing.",
      "billing",
      '"billing"',
      " **Billing**\n",
      "Category: billing",
      "Label = billing!",
    ]
  ) {
    const { span, ...reading } = read(content) ?? {};
    assert.deepEqual(reading, { category: "billing", reason: null, language: null }, content);
    assert.equal(content.slice(span?.from, span?.to).toLowerCase(), "billing");
  }
});

Deno.test("readCompletion() finds no label in anything else", () => {
  const contents = [
    "",
    "refund",
    "It is not billing, it is a bug",
    '{"category":"hacked"}',
    '{"category":["bug"]}',
    '{"reason":"bug"}',
    '{"category":"bug"',
    "I cannot help with that.",
    "[]",
  ];
  for (const content of contents) assert.equal(read(content), undefined, content);
});

Deno.test("readCompletion() never gives a category that the taxonomy does not have", () => {
  const names = labelNames(taxonomy);
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (content) => {
    const reading = read(content);
    assert.ok(reading === undefined || names.includes(reading.category));
  }));
});

Deno.test("readCompletion() cuts a long reason at 200 characters and keeps it on one line", () => {
  const reason = read(JSON.stringify({ category: "bug", reason: `a\u0000\n${"😀".repeat(300)}` }))?.reason ??
    "";
  assert.equal([...reason].length, 200);
  assert.match(reason, /^a 😀.*…$/u);
});

Deno.test("readCompletion() drops a reason that repeats the prompt", () => {
  const leak = `Sure! ${system.slice(40, 120)}`;
  assert.equal(read(JSON.stringify({ category: "bug", reason: leak }))?.reason, null);
  const disguised = leak.toUpperCase().replaceAll(" ", "\n -- ");
  assert.equal(read(JSON.stringify({ category: "bug", reason: disguised }))?.reason, null);
});

Deno.test("readCompletion() drops a language that is not a tag", () => {
  assert.equal(read('{"category":"bug","language":"English, I think"}')?.language, null);
});
