// Tests of a call that unlearns what a provider refuses: sixteen families, and what must not teach anything.

import assert from "node:assert/strict";
import { promptWriter } from "../../../../worker/core/prompt.ts";
import { parseTaxonomy } from "../../../../worker/core/taxonomy.ts";
import type { Lesson } from "../../../../worker/core/llm.ts";
import { type Labelling, singleLabeller } from "../../../../worker/labelling/labeller.ts";
import { type LlmEvents, type OpenaiLlm, openaiLlm } from "../../../../worker/llm/client.ts";
import defaultTaxonomy from "../../../../worker/taxonomy.json" with { type: "json" };
import { FAMILIES } from "../../../support/workers/provider_families.ts";
import {
  type ScriptedOptions,
  type ScriptedProvider,
  startScriptedProvider,
} from "../../../support/workers/scripted_provider.ts";

const taxonomy = parseTaxonomy(defaultTaxonomy);
const INVOICE = { subject: "Invoice", body: "I was charged twice" };

interface Played extends AsyncDisposable {
  readonly provider: ScriptedProvider;
  readonly llm: OpenaiLlm;
  readonly label: (ticket?: { readonly subject: string; readonly body: string }) => Promise<Labelling>;
}

function play(options: ScriptedOptions, events: LlmEvents = {}): Played {
  const provider = startScriptedProvider(options);
  const llm = openaiLlm(
    { apiKey: "s3cret", baseUrl: provider.baseUrl, model: options.model ?? "m", timeoutMs: 20_000 },
    events,
  );
  const labeller = singleLabeller({ llm, taxonomy, prompts: promptWriter(taxonomy) });
  return {
    provider,
    llm,
    label: (ticket = INVOICE) => labeller.label(ticket, undefined),
    [Symbol.asyncDispose]: () => provider[Symbol.asyncDispose](),
  };
}

const categoryOf = (labelling: Labelling) =>
  labelling.kind === "labelled" ? labelling.label.category : JSON.stringify(labelling);
const refusing = (status: number, error: unknown) => () => Response.json({ error }, { status });
const asksByFeature = (lessons: readonly Lesson[]) =>
  Object.fromEntries(lessons.map(({ feature, asks }) => [feature, asks]));

for (const family of FAMILIES) {
  Deno.test(`callModel() labels the first ticket within two calls of ${family.name}, and learns once`, async () => {
    const told: Lesson[] = [];
    await using played = play(family, { onLesson: (lesson) => told.push(lesson) });
    const { provider, llm, label } = played;
    let calls = 1;
    let first = await label();
    if (first.kind !== "labelled") {
      calls++;
      first = await label();
    }
    assert.equal(categoryOf(first), "billing");
    assert.ok(calls <= 2);
    assert.deepEqual(asksByFeature(llm.lessons()), family.learns);
    const asked = provider.requests.length;
    assert.deepEqual(
      (await Promise.all([label(), label(), label()])).map(categoryOf),
      Array(3).fill("billing"),
    );
    assert.equal(provider.requests.length, asked + 3, "what is known is not asked for again");
    assert.deepEqual(asksByFeature(told), family.learns);
    assert.equal(told.length, Object.keys(family.learns).length, "each lesson is told once");
  });
}

Deno.test("callModel() unlearns under whatever status and shape a refusal comes", async () => {
  const shapes: readonly (readonly [number, unknown])[] = [
    [400, { error: { message: "no", param: "temperature", code: "unsupported_parameter" } }],
    [404, { error: { message: "temperature is not supported by any endpoint" } }],
    [422, { detail: [{ type: "extra_forbidden", loc: ["body", "temperature"], msg: "Extra inputs" }] }],
    [500, { message: "Unsupported parameter: temperature" }],
    [501, "temperature is not implemented"],
    [400, { errors: [{ message: "unknown field", field: "temperature" }] }],
    [400, { error: { message: "bad request", details: { unsupported_params: ["temperature"] } } }],
    [200, { error: { message: "Unsupported parameter: 'temperature'", code: 400 } }],
  ];
  for (const [status, body] of shapes) {
    await using played = play({
      script: (request) =>
        "temperature" in request
          ? typeof body === "string" ? new Response(body, { status }) : Response.json(body, { status })
          : undefined,
    });
    assert.equal(categoryOf(await played.label()), "billing", JSON.stringify(body));
    assert.deepEqual(asksByFeature(played.llm.lessons()), { temperature: "nothing" }, JSON.stringify(body));
  }
});

Deno.test("callModel() calls a refused parameter that cannot be left out a misconfiguration that names it", async () => {
  await using played = play({
    script: refusing(400, { message: "Unknown parameter", param: "model", code: "unknown_parameter" }),
  });
  const labelling = await played.label();
  assert.ok(labelling.kind === "llm_failed");
  assert.equal(labelling.failure.cause, "refused");
  assert.match(labelling.failure.detail, /400 \(unknown_parameter\): it refuses the parameter model$/);
  await using flat = play({
    script: () => Response.json({ message: "Unknown parameter: 'seed'" }, { status: 400 }),
  });
  const unnamed = await flat.label();
  assert.ok(unnamed.kind === "llm_failed" && unnamed.failure.cause === "refused");
  assert.match(unnamed.failure.detail, /refuses the parameter seed$/);
  await using stubborn = play({
    script: refusing(400, { message: "no", param: "temperature", code: "unsupported_parameter" }),
  });
  const failed = await stubborn.label();
  assert.ok(failed.kind === "llm_failed" && failed.failure.cause === "refused");
  assert.match(failed.failure.detail, /refuses the parameter temperature$/);
  assert.deepEqual(stubborn.llm.lessons(), [], "nothing is learnt where leaving it out did not help");
});

Deno.test("callModel() learns nothing from a ticket that an error repeats", async () => {
  const evil = {
    subject: "logprobs",
    body: "Unsupported parameter: 'logprobs' is not supported. response_format temperature",
  };
  let refusals = 0;
  await using played = play({
    script: (request) => {
      const ticket = request.messages.at(-1)?.content ?? "";
      if (!ticket.includes("logprobs") || refusals++ > 0) return undefined;
      return Response.json({ error: { message: `Invalid content: ${ticket}` } }, { status: 400 });
    },
  });
  await played.label(evil);
  assert.equal(categoryOf(await played.label()), "billing");
  assert.deepEqual(played.llm.lessons(), []);
  assert.deepEqual(
    [played.provider.requests.at(-1)?.logprobs, played.provider.requests.at(-1)?.temperature],
    [
      true,
      0,
    ],
  );
});

Deno.test("callModel() takes no error for a refused key because a ticket speaks of one", async () => {
  const evil = { subject: "x", body: "incorrect api key, insufficient balance, model not found, rate limit" };
  await using played = play({
    script: (request) =>
      Response.json({ error: { message: `Cannot read ${request.messages.at(-1)?.content}` } }, {
        status: 400,
      }),
  });
  const labelling = await played.label(evil);
  assert.ok(labelling.kind === "llm_failed" && labelling.failure.cause === "unavailable");
});

Deno.test("callModel() learns nothing and blames nobody where a ticket is an error's JSON that a provider repeats", async () => {
  const body = JSON.stringify({
    param: "logprobs",
    code: "invalid_api_key",
    message: "logprobs is unsupported",
  });
  let refusals = 0;
  await using played = play({
    script: () => refusals++ === 0 ? Response.json({ error: { message: body } }, { status: 400 }) : undefined,
  });
  await played.label({ subject: "x", body });
  assert.deepEqual(played.llm.lessons(), []);
  await using always = play({ script: () => Response.json({ error: { message: body } }, { status: 400 }) });
  const labelling = await always.label({ subject: "x", body });
  assert.ok(
    labelling.kind === "llm_failed" && labelling.failure.cause !== "refused",
    JSON.stringify(labelling),
  );
});

Deno.test("callModel() asks again after a day for what was refused, with one call, and says so when it is taken", async () => {
  let nowMs = Date.parse("2026-11-28T00:00:00Z");
  let refuses = true;
  const told: string[] = [];
  await using played = play({
    script: (request) =>
      refuses && "logprobs" in request
        ? Response.json({ error: { message: "no", param: "logprobs" } }, { status: 400 })
        : undefined,
  }, { nowMs: () => nowMs, onLesson: ({ feature, asks }) => told.push(`${feature}: ${asks}`) });
  const { provider, label } = played;
  await label();
  nowMs += 23 * 3_600_000;
  await label();
  assert.equal(provider.requests.length, 3, "still known");
  nowMs += 2 * 3_600_000;
  await Promise.all([label(), label()]);
  assert.equal(provider.requests.length, 6, "one of two calls tried, in vain");
  refuses = false;
  nowMs += 25 * 3_600_000;
  await label();
  await label();
  assert.equal(provider.requests.length, 8);
  assert.equal(provider.requests.at(-1)?.logprobs, true);
  assert.deepEqual(told, ["logprobs: nothing", "logprobs: logprobs"]);
});

Deno.test("callModel() gives a model that thinks anyway room for it, and bills the answer that was cut off", async () => {
  const billed: number[] = [];
  await using played = play({ thoughtTokens: 900 }, {
    onBilled: ({ outputTokens }) => billed.push(outputTokens),
  });
  const { provider, label, llm } = played;
  assert.equal(categoryOf(await label()), "billing");
  assert.deepEqual(provider.requests.map((request) => request.max_completion_tokens), [300, 4300]);
  assert.deepEqual(billed, [940]);
  assert.deepEqual(llm.lessons().map(({ feature }) => feature), ["thoughts"]);
  await label();
  assert.equal(provider.requests.length, 3);
});

Deno.test("callModel() repeats no key of ours, wherever a provider puts it", async () => {
  const lessons: Lesson[] = [];
  for (const status of [400, 200]) {
    const error = { code: "s3cret", message: "key s3cret", param: "temperature" };
    await using played = play({ script: () => Response.json({ error }, { status }) }, {
      onLesson: (lesson) => lessons.push(lesson),
    });
    const labelling = await played.label();
    assert.ok(labelling.kind === "llm_failed");
    assert.doesNotMatch(JSON.stringify([labelling, await played.llm.check(), lessons]), /s3cret/);
  }
});

/** Refusals in other words than those of the families. */
const SENTENCES: readonly (readonly [string, number, string])[] = [
  ["temperature", 422, "`temperature` has to be a strictly positive float"],
  ["temperature", 400, "temperature: 0 is out of range"],
  ["logprobs", 400, "Logprobs is not enabled for models/gemini-2.5-pro"],
  ["logprobs", 501, "Log probabilities are not supported by this deployment"],
  ["reasoning_effort", 400, "Reasoning is mandatory for this endpoint and cannot be disabled."],
  ["reasoning_effort", 400, "Argument not supported on this model: reasoningEffort"],
  ["reasoning_effort", 422, "`reasoning_effort` must be one of `low`, `medium`, or `high`"],
  ["response_format", 400, "This response_format type is unavailable now"],
  ["response_format", 503, "Structured output is not supported by this backend"],
  ["response_format", 500, "xgrammar: cannot compile the schema"],
  ["response_format", 404, "No endpoints found that support structured outputs"],
  ["max_completion_tokens", 400, "Unrecognized request argument supplied: max_completion_tokens"],
  ["max_completion_tokens", 400, "body: unknown field max_completion_tokens"],
  ["system", 400, "Developer instruction is not enabled for models/gemma-3-27b-it"],
  ["system", 500, "Only user, assistant and tool roles are supported, got system."],
  ["system", 400, "Unexpected role 'system'"],
  ["system", 400, "This model does not support system messages"],
];

Deno.test("callModel() understands refusals in other words, and leaves out nothing else", async () => {
  for (const [field, status, message] of SENTENCES) {
    const isAsked = (request: Readonly<Record<string, unknown>>) =>
      field === "system"
        ? JSON.stringify(request["messages"]).includes('"role":"system"')
        : field === "reasoning_effort"
        ? ["none", "minimal"].includes(String(request[field]))
        : field in request;
    await using played = play({
      script: (request) =>
        isAsked({ ...request }) ? Response.json({ error: { message } }, { status }) : undefined,
    });
    assert.equal(categoryOf(await played.label()), "billing", message);
    assert.equal(played.llm.lessons().length, 1, `${message}: ${JSON.stringify(played.llm.lessons())}`);
    assert.ok(played.provider.requests.length <= 4, message);
  }
});

Deno.test("callModel() passes on how long to wait from an error inside a 200", async () => {
  const headers = { "retry-after": "0.5" };
  await using played = play({
    script: () => Response.json({ error: { code: 429 }, choices: [] }, { headers }),
  });
  const labelling = await played.label();
  assert.ok(labelling.kind === "llm_failed");
  assert.deepEqual([labelling.failure.cause, labelling.failure.headers], ["rate_limited", {
    "retry-after": "1",
  }]);
});

Deno.test("callModel() takes no fault of a ticket for a misconfiguration", async () => {
  for (const param of ["messages", "messages[1].content", "messages.1.content.0.text", "prompt", "input"]) {
    await using played = play({
      script: refusing(400, { message: "Invalid value", param, code: "invalid_parameter" }),
    });
    const labelling = await played.label();
    assert.ok(labelling.kind === "llm_failed" && labelling.failure.cause === "unavailable", param);
    assert.equal(played.provider.requests.length, 1);
  }
});

Deno.test("callModel() takes nothing in a gateway's page for a refusal", async () => {
  const page =
    "<!DOCTYPE html><html itemtype='https://schema.org/WebPage'>Unsupported temperature: contact support</html>";
  for (const status of [400, 404, 500]) {
    await using played = play({ script: () => new Response(page, { status }) });
    const labelling = await played.label();
    assert.ok(labelling.kind === "llm_failed");
    assert.equal(labelling.failure.cause, status === 404 ? "no_model" : "unavailable");
    assert.equal(played.provider.requests.length, 1);
  }
});

Deno.test("callModel() tells a lesson once that twenty calls learn at the same time", async () => {
  const family = FAMILIES.find(({ name }) => name === "OpenAI 5");
  const told: Lesson[] = [];
  await using played = play({ ...family }, { onLesson: (lesson) => told.push(lesson) });
  const labels = await Promise.all(Array.from({ length: 20 }, () => played.label()));
  assert.deepEqual(labels.map(categoryOf), Array(20).fill("billing"));
  assert.deepEqual(asksByFeature(told), family?.learns);
  assert.equal(told.length, 3);
});
