// Tests of one ticket's way to a label: what is too long is cut to fit once, and what is refused is not asked again.

import assert from "node:assert/strict";
import { promptWriter } from "../../../../worker/core/prompt.ts";
import { parseTaxonomy } from "../../../../worker/core/taxonomy.ts";
import { singleLabeller } from "../../../../worker/labelling/labeller.ts";
import { openaiLlm } from "../../../../worker/llm/client.ts";
import defaultTaxonomy from "../../../../worker/taxonomy.json" with { type: "json" };
import {
  type ScriptedOptions,
  type ScriptedRequest,
  startScriptedProvider,
} from "../../../support/workers/scripted_provider.ts";

const taxonomy = parseTaxonomy(defaultTaxonomy);
const LONG = { subject: "Invoice", body: "I was charged twice. ".repeat(500) };

const lengthOf = ({ messages }: ScriptedRequest) => messages.at(-1)?.content.length ?? 0;

async function label(options: ScriptedOptions, ticket = LONG) {
  await using provider = startScriptedProvider(options);
  const llm = openaiLlm({ apiKey: "k", baseUrl: provider.baseUrl, model: "m", timeoutMs: 20_000 });
  const labeller = singleLabeller({ llm, taxonomy, prompts: promptWriter(taxonomy) });
  const labelling = await labeller.label(ticket, undefined);
  return { labelling, lengths: provider.requests.map(lengthOf) };
}

/** Refusals of a request that is too long, as providers word them. */
const TOO_LONG: readonly (readonly [number, unknown])[] = [
  [413, "<html>413 Request Entity Too Large</html>"],
  [400, {
    error: {
      message: "This model's maximum context length is 2048 tokens.",
      code: "context_length_exceeded",
    },
  }],
  [429, {
    error: {
      message:
        "Request too large for model m on tokens per minute (TPM): Limit 2000, Requested 4000, please reduce your message size",
      type: "tokens",
      code: "rate_limit_exceeded",
    },
  }],
];
const respond = ([status, body]: readonly [number, unknown]) =>
  typeof body === "string" ? new Response(body, { status }) : Response.json(body, { status });

Deno.test("Labeller.label() cuts a ticket that is too long for model or rate to fit, once", async () => {
  for (const refusal of TOO_LONG) {
    const { labelling, lengths } = await label({
      script: (request) => lengthOf(request) > 6_000 ? respond(refusal) : undefined,
    });
    assert.ok(labelling.kind === "labelled", JSON.stringify(refusal));
    assert.equal(labelling.label.truncated, true);
    const [first = 0, second = 0, ...more] = lengths;
    assert.ok(first > 10_000 && second < 6_000 && more.length === 0, `${lengths}`);
  }
});

Deno.test("Labeller.label() calls a ticket that does not fit after that the ticket's fault, after two calls", async () => {
  for (const refusal of TOO_LONG) {
    const { labelling, lengths } = await label({ script: () => respond(refusal) });
    assert.ok(labelling.kind === "llm_failed" && labelling.failure.cause === "too_long");
    assert.equal(lengths.length, 2);
  }
});

Deno.test("Labeller.label() leaves of a ticket that is too long always something to label", async () => {
  for (const refusal of TOO_LONG) {
    const { labelling, lengths } = await label({ script: () => respond(refusal) }, {
      subject: "a",
      body: "b",
    });
    assert.ok(labelling.kind === "llm_failed" && labelling.failure.cause === "too_long");
    assert.equal(lengths.length, 1);
  }
});

Deno.test("Labeller.label() asks once about a ticket whose content is refused", async () => {
  const refusals: readonly (readonly [number, unknown])[] = [
    [400, {
      error: {
        code: "content_filter",
        message: "filtered",
        innererror: { code: "ResponsibleAIPolicyViolation" },
      },
    }],
    [403, {
      error: {
        code: 403,
        message: "m requires moderation. Your input was flagged",
        metadata: { reasons: ["hate"] },
      },
    }],
    [200, { choices: [{ finish_reason: "content_filter", message: { content: '{"cat' } }] }],
    [200, { error: { code: "content_policy_violation" } }],
  ];
  for (const refusal of refusals) {
    const { labelling, lengths } = await label({ script: () => respond(refusal) }, {
      subject: "a",
      body: "b",
    });
    assert.ok(
      labelling.kind === "llm_failed" && labelling.failure.cause === "content_refused",
      JSON.stringify(refusal),
    );
    assert.match(labelling.failure.detail, /content|responsible|403/);
    assert.equal(lengths.length, 1);
  }
});
