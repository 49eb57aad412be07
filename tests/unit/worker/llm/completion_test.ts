// Tests of how a chat completion is read.

import assert from "node:assert/strict";
import fc from "fast-check";
import { completionOf } from "../../../../worker/llm/completion.ts";
import { BEST_CHOICE } from "../../../../worker/llm/features.ts";
import { providerError } from "../../../../worker/llm/provider_error.ts";
import { refusedFeatures } from "../../../../worker/llm/refusals.ts";

const PROMPT = { system: "s".repeat(400), user: "u".repeat(40), schemaName: "n", schema: {}, answers: 1 };
const ofMessage = (message: unknown, rest: Readonly<Record<string, unknown>> = {}) =>
  completionOf({ choices: [{ message, finish_reason: "stop" }], ...rest }, "asked", PROMPT);
const contentOf = (message: unknown) => {
  const answered = ofMessage(message);
  return answered.kind === "completed" ? answered.completion.content : answered.kind;
};
const usageOf = (usage: unknown) => {
  const answered = ofMessage({ content: "x".repeat(40) }, { usage });
  assert.ok(answered.kind === "completed");
  const { inputTokens, cachedTokens, outputTokens, estimated } = answered.completion;
  return [inputTokens, cachedTokens, outputTokens, estimated];
};

Deno.test("completionOf() takes a message's text in every shape, and thoughts in none", () => {
  const label = { category: "bug" };
  assert.equal(contentOf({ content: "bug" }), "bug");
  assert.equal(
    contentOf({ content: [{ type: "text", text: "b" }, { type: "output_text", text: "ug" }] }),
    "bug",
  );
  assert.equal(contentOf({ content: ["b", { text: "ug" }] }), "bug");
  assert.equal(
    contentOf({
      content: [{ type: "thinking", thinking: [{ type: "text", text: "x" }] }, { type: "text", text: "bug" }],
    }),
    "bug",
  );
  assert.equal(contentOf({ content: [{ type: "text", text: { value: "bug" } }] }), "bug");
  assert.equal(contentOf({ content: label }), '{"category":"bug"}');
  assert.equal(
    contentOf({ content: null, tool_calls: [{ function: { arguments: '{"category":"bug"}' } }] }),
    '{"category":"bug"}',
  );
  assert.equal(contentOf({ content: null, reasoning_content: "bug", reasoning: "bug" }), "empty");
  assert.equal(contentOf({ content: "", refusal: "I cannot" }), "");
});

Deno.test("completionOf() finds an error inside a 200 and its meaning, beside empty choices too", () => {
  const statusOf = (body: unknown) => {
    const answered = completionOf(body, "m", PROMPT);
    return answered.kind === "error" ? [answered.error.status, ...answered.error.codes] : answered.kind;
  };
  assert.deepEqual(statusOf({ error: { code: 429, message: "slow down" } }), [429, "429"]);
  assert.deepEqual(statusOf({ error: { code: "402" }, choices: [] }), [402, "402"]);
  assert.deepEqual(
    statusOf({ choices: [{ error: { code: 401 }, finish_reason: "error", message: { content: "" } }] }),
    [401, "401"],
  );
  assert.deepEqual(statusOf({ code: 429, message: "slow down" }), [429, "429"]);
  assert.deepEqual(statusOf({ error: { type: "insufficient_quota" } }), [200, "insufficient_quota"]);
  assert.deepEqual(
    statusOf({ choices: null, base_resp: { status_code: 1008, status_msg: "insufficient balance" } }),
    [200, "1008"],
  );
  assert.equal(statusOf("<html>"), "empty");
  assert.equal(
    statusOf('{"choices":[{"message":{"content":"bug"}}]}'),
    "completed",
    "under another content type",
  );
});

Deno.test("completionOf() reads usage in every spelling, and estimates what is not told", () => {
  assert.deepEqual(usageOf({ prompt_tokens: 400, completion_tokens: 30 }), [400, undefined, 30, undefined]);
  assert.deepEqual(usageOf({ input_tokens: 400, output_tokens: 30 }), [400, undefined, 30, undefined]);
  assert.deepEqual(
    usageOf({ prompt_tokens: 400, completion_tokens: 30, prompt_tokens_details: { cached_tokens: 384 } }),
    [400, 384, 30, undefined],
  );
  assert.deepEqual(usageOf({ prompt_tokens: 400, completion_tokens: 30, prompt_cache_hit_tokens: 9999 }), [
    400,
    400,
    30,
    undefined,
  ]);
  assert.deepEqual(usageOf({ prompt_tokens: 400, completion_tokens: 30, total_tokens: 930 }), [
    400,
    undefined,
    530,
    undefined,
  ]);
  for (
    const nothing of [undefined, null, {}, { prompt_tokens: 0, completion_tokens: 0 }, { prompt_tokens: "x" }]
  ) {
    assert.deepEqual(usageOf(nothing), [110, undefined, 10, true], JSON.stringify(nothing));
  }
});

Deno.test("completionOf() bills an answer without a message, and says that its content was refused", () => {
  const answered = completionOf(
    {
      choices: [{ finish_reason: "content_filter", message: { content: null } }],
      usage: { prompt_tokens: 400, completion_tokens: 5 },
    },
    "m",
    PROMPT,
  );
  assert.ok(answered.kind === "empty");
  const ends = ["SAFETY", "PROHIBITED_CONTENT", "sensitive", "refusal"].map((finish_reason) =>
    completionOf({ choices: [{ finish_reason, message: { content: "" } }] }, "m", PROMPT)
  );
  assert.ok(ends.every((end) => end.kind === "empty" && end.failure.cause === "content_refused"));
  assert.deepEqual([answered.failure.cause, answered.usage?.inputTokens, answered.usage?.outputTokens], [
    "content_refused",
    400,
    5,
  ]);
});

Deno.test("completionOf() believes no model's name that cannot be stored or shown", () => {
  const nameOf = (model: unknown) => {
    const answered = ofMessage({ content: "bug" }, { model });
    return answered.kind === "completed" ? answered.completion.model : undefined;
  };
  assert.equal(nameOf("gpt-6-luna-2026-09-22"), "gpt-6-luna-2026-09-22");
  for (const bad of ["a\u0000b", "x".repeat(900_000), "a\nb", "", 7, null]) {
    assert.equal(nameOf(bad), "asked");
  }
});

Deno.test("completionOf() keeps of the log-probabilities those that make up the answer", () => {
  const logprobs = (...tokens: readonly string[]) => ({
    content: tokens.map((token) => ({ token, logprob: -1 })),
  });
  const tokensOf = (...tokens: readonly string[]) => {
    const body = { choices: [{ message: { content: "bug" }, logprobs: logprobs(...tokens) }] };
    const answered = completionOf(body, "m", PROMPT);
    return answered.kind === "completed" ? answered.completion.tokens.map(({ token }) => token) : undefined;
  };
  assert.deepEqual(tokensOf("<think>", "x", "b", "ug"), ["b", "ug"]);
  assert.deepEqual(tokensOf("b", "ug"), ["b", "ug"]);
});

Deno.test("completionOf() reads whatever JSON comes and never throws, nor does the reading of its error", () => {
  fc.assert(fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
    const answered = completionOf(value, "m", PROMPT);
    assert.ok(["completed", "error", "empty"].includes(answered.kind));
    const error = providerError(value, 400, undefined);
    assert.ok(error.params.length <= 30 && error.text.length <= 4_000);
    assert.ok(refusedFeatures(error, BEST_CHOICE, "").every(({ next }) => next > 0));
  }));
});

Deno.test("completionOf() looks at a bounded part of a hostile answer, deep, wide or long", () => {
  const deep = JSON.parse(`${'{"error":'.repeat(2_000)}1${"}".repeat(2_000)}`);
  const wide = {
    error: Object.fromEntries(Array.from({ length: 50_000 }, (_, at) => [`k${at}`, { message: "x" }])),
  };
  const long = {
    error: { message: `{"message":`.repeat(50_000), code: "c".repeat(500_000), param: "p".repeat(500_000) },
  };
  for (const body of [deep, wide, long]) {
    const { codes, params, text } = providerError(body, 400, undefined);
    assert.ok(codes.length <= 300 && params.length === 0 && text.length <= 4_000);
  }
});
