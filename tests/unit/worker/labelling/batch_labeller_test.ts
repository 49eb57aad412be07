// Tests of several tickets in one prompt.

import assert from "node:assert/strict";
import { BatchLabeller } from "../../../../worker/labelling/batch_labeller.ts";
import { batchParts } from "../../../../worker/core/batch_prompt.ts";
import type { Completion, LlmFailure } from "../../../../worker/core/llm.ts";
import { type Prompt, promptWriter } from "../../../../worker/core/prompt.ts";
import { parseTaxonomy } from "../../../../worker/core/taxonomy.ts";
import defaultTaxonomy from "../../../../worker/taxonomy.json" with { type: "json" };
import { answer } from "../../../support/workers/worker_app.ts";

const taxonomy = parseTaxonomy(defaultTaxonomy);

function labeller(complete: (prompt: Prompt) => Completion | LlmFailure, ticketsMax = 3) {
  const prompts: Prompt[] = [];
  const llm = {
    model: "stub",
    complete: (prompt: Prompt) => {
      prompts.push(prompt);
      return Promise.resolve(complete(prompt));
    },
    check: () => Promise.resolve(undefined),
  };
  const limits = { ticketsMax, lingerMs: 0, ticketTokensMax: 1_000 };
  return { prompts, batch: new BatchLabeller({ llm, taxonomy, prompts: promptWriter(taxonomy) }, limits) };
}

const tickets = ["one", "two", "three"].map((body) => ({ subject: "s", body }));
const buyAll = (batch: BatchLabeller) => Promise.all(tickets.map((ticket) => batch.label(ticket, undefined)));
const categories = (labels: Awaited<ReturnType<typeof buyAll>>) =>
  labels.map((each) => each.kind === "labelled" ? each.label.category : each.kind);

Deno.test("BatchLabeller.label() asks once for tickets that come together and matches the answers by id", async () => {
  const { batch, prompts } = labeller(() =>
    answer(
      '{"labels":[{"id":3,"category":"other"},{"id":1,"category":"bug"},{"id":2,"category":"billing"}]}',
      {
        inputTokens: 100,
        outputTokens: 31,
      },
    )
  );
  const labels = await buyAll(batch);
  assert.deepEqual(categories(labels), ["bug", "billing", "other"]);
  assert.equal(prompts.length, 1);
  assert.match(
    prompts[0]?.user ?? "",
    /^<tickets>\n\{"id":1,.*\}\n\{"id":2,.*\}\n\{"id":3,.*\}\n<\/tickets>$/,
  );
  const paid = labels.map((each) =>
    each.kind === "labelled" ? [each.label.inputTokens, each.label.outputTokens] : []
  );
  assert.deepEqual(paid, [[34, 11], [33, 10], [33, 10]]);
});

Deno.test("BatchLabeller.label() asks again for a missing or unusable answer, alone", async () => {
  const { batch, prompts } = labeller(({ answers }) =>
    answers === 1
      ? answer("account")
      : answer('{"labels":[{"id":1,"category":"bug"},{"id":3,"category":"nonsense"}]}')
  );
  assert.deepEqual(categories(await buyAll(batch)), ["bug", "account", "account"]);
  assert.deepEqual(prompts.map(({ answers }) => answers), [3, 1, 1]);
});

Deno.test("BatchLabeller.label() tells everybody in a batch that the provider failed", async () => {
  const { batch } = labeller(() => ({
    kind: "failed",
    cause: "rate_limited",
    detail: "slow down",
    headers: { "retry-after": "3", "x-ratelimit-remaining-requests": "0" },
  }));
  const labellings = await buyAll(batch);
  assert.deepEqual(categories(labellings), Array(3).fill("llm_failed"));
  for (const labelling of labellings) {
    assert.ok(labelling.kind === "llm_failed");
    // The provider counts calls; it does not say how many tickets those are.
    assert.deepEqual(labelling.failure.headers, { "retry-after": "3" });
  }
});

Deno.test("BatchLabeller.label() sends what a caller may abort, and what is long, alone", async () => {
  const { batch, prompts } = labeller(() => answer("bug"));
  await Promise.all([
    batch.label(tickets[0] ?? { subject: "", body: "" }, new AbortController().signal),
    batch.label({ subject: "s", body: "x".repeat(10_000) }, undefined),
  ]);
  assert.deepEqual(prompts.map(({ answers }) => answers), [1, 1]);
});

Deno.test("BatchLabeller.label() reads each category's confidence out of its own part", async () => {
  const content = '{"labels":[{"id":1,"category":"bug"},{"id":2,"category":"billing"}]}';
  const at = (word: string) => content.indexOf(word);
  const pieces: [string, number][] = [
    [content.slice(0, at("bug")), 1],
    ["bug", 0.5],
    [content.slice(at("bug") + 3, at("billing")), 1],
    ["billing", 0.25],
    [content.slice(at("billing") + 7), 1],
  ];
  const tokens = pieces.map(([token, share]) => ({ token, logprob: Math.log(share) }));
  const { batch } = labeller(() => answer(content, { tokens }), 2);
  const labels = await Promise.all(tickets.slice(0, 2).map((ticket) => batch.label(ticket, undefined)));
  const confidences = labels.map((each) => each.kind === "labelled" ? each.label.confidence : null);
  assert.deepEqual(confidences, [0.5, 0.25]);
});

Deno.test("BatchLabeller stores its labels under a version of their own", () => {
  assert.match(labeller(() => answer("bug")).batch.labelVersion, /^stub:[0-9a-f]{12}-batch$/);
});

Deno.test("batchParts() survives prose, brackets in strings, doubles and strangers", () => {
  const content =
    'Sure: {"labels":[{"id":1,"reason":"a } ] { \\" b","category":"bug"}, {"id":9}, {"id":2}, {"id":2}, {"id":"3"';
  const parts = batchParts(content, 3);
  assert.equal(parts[0]?.content, '{"id":1,"reason":"a } ] { \\" b","category":"bug"}');
  assert.equal(content.slice(parts[0]?.from).startsWith(parts[0]?.content ?? "?"), true);
  assert.deepEqual(parts.slice(1), [undefined, undefined]);
});

Deno.test("BatchLabeller.label() asks for each alone where one ticket's content or length is refused", async () => {
  for (const [cause, refused] of [["content_refused", "two"], ["too_long", "none"]] as const) {
    const { batch, prompts } = labeller(({ answers, user }) =>
      answers === 1 && !user.includes(refused)
        ? answer("bug")
        : { kind: "failed", cause, detail: "why", headers: {} }
    );
    const labels = await buyAll(batch);
    const second = cause === "too_long" ? "bug" : "llm_failed";
    assert.deepEqual(categories(labels), ["bug", second, "bug"], cause);
    assert.equal(prompts.filter(({ answers }) => answers > 1).length, 1);
  }
});

Deno.test("batchParts() reads parts behind thoughts, in a fence, loosely written or in an answer that was cut off", () => {
  const parts = (content: string) => batchParts(content, 2).map((part) => part?.content);
  const [one, two] = ['{"id":1,"category":"bug"}', '{"id":2,"category":"other"}'];
  assert.deepEqual(
    parts(`<think>{"labels":[{"id":1,"category":"other"}]}</think>{"labels":[${one},${two}]}`),
    [one, two],
  );
  assert.deepEqual(parts(`\`\`\`json\n{"labels":[${one},${two},]}\n\`\`\``), [one, two]);
  assert.deepEqual(parts(`{"labels":[${one},{"id":2,"cat`), [one, undefined]);
  assert.deepEqual(parts(`{"labels":[{'id': '1', 'category': 'bug'}]}`), [
    "{'id': '1', 'category': 'bug'}",
    undefined,
  ]);
});
