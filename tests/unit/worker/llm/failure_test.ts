// Tests of what an error of the SDK means.

import assert from "node:assert/strict";
import { APIConnectionTimeoutError, APIError } from "openai";
import { openaiLlm } from "../../../../worker/llm/client.ts";
import { freePort } from "../../../support/ports.ts";
import { failureOf } from "../../../../worker/llm/failure.ts";

const apiError = (status: number, body: Record<string, unknown>, headers: Record<string, string> = {}) =>
  APIError.generate(status, { error: body }, undefined, new Headers(headers));

Deno.test("failureOf() passes rate-limit headers on, and retry-after-ms as whole seconds", () => {
  const failure = failureOf(
    apiError(429, { code: "rate_limit_exceeded" }, {
      "retry-after-ms": "1200",
      "x-ratelimit-remaining-tokens": "0",
      "set-cookie": "a=b",
    }),
    1_000,
    "llm.test",
  );
  assert.equal(failure.cause, "rate_limited");
  assert.deepEqual(failure.headers, { "retry-after": "2", "x-ratelimit-remaining-tokens": "0" });
});

Deno.test("failureOf() passes fractions of a second on as whole ones, never fewer than asked", () => {
  for (const [asked, passedOn] of [["0.5", "1"], ["7.66", "8"], ["20", "20"]] as const) {
    const { headers } = failureOf(apiError(429, {}, { "retry-after": asked }), 1_000, "llm.test");
    assert.equal(headers["retry-after"], passedOn);
  }
});

Deno.test("failureOf() repeats nothing of an error's message, which may hold the ticket", () => {
  const failure = failureOf(
    apiError(400, { code: "bad <b>", message: "your ticket said: secret" }),
    1_000,
    "llm.test",
  );
  assert.deepEqual([failure.cause, failure.detail], [
    "unavailable",
    "The provider answered 400",
  ]);
  assert.equal(
    failureOf(new APIConnectionTimeoutError(), 250, "llm.test").detail,
    "The provider at llm.test did not answer within 250 ms",
  );
});

Deno.test("failureOf() says where a provider was looked for and why it was not reached", async () => {
  const llm = (baseUrl: string) => openaiLlm({ apiKey: "s3cret", baseUrl, model: "m", timeoutMs: 10_000 });
  const nowhere = `127.0.0.1:${freePort()}`;
  const refused = await llm(`http://${nowhere}/v1`).check();
  assert.equal(
    refused?.detail,
    `The provider at ${nowhere} could not be reached or cut its answer off: ECONNREFUSED, nothing listens there`,
  );
  assert.match(
    (await llm("http://nowhere.invalid/v1").check())?.detail ?? "",
    /nowhere\.invalid .*ENOTFOUND/,
  );
});

Deno.test("failureOf() tells a connection that was cut from one that was never made", async () => {
  using dying = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const killing = (async () => {
    const connection = await dying.accept();
    await connection.read(new Uint8Array(4096));
    connection.close();
  })();
  const llm = openaiLlm({
    apiKey: undefined,
    baseUrl: `http://127.0.0.1:${dying.addr.port}/v1`,
    model: "m",
    timeoutMs: 10_000,
  });
  assert.match((await llm.check())?.detail ?? "", /cut the connection|ECONNRESET/);
  await killing;
});

const causeOf = (status: number, body: unknown, sent = "") =>
  failureOf(APIError.generate(status, { error: body }, undefined, new Headers()), 1_000, "llm.test", sent)
    .cause;

Deno.test("failureOf() goes by what an error says before the status it comes under", () => {
  const cases: readonly (readonly [number, unknown, string])[] = [
    [400, { error: { code: "context_length_exceeded", message: "too long" } }, "too_long"],
    [400, {
      error: {
        code: 400,
        message: "the request exceeds the available context size",
        type: "exceed_context_size_error",
      },
    }, "too_long"],
    [413, "Payload too large", "too_long"],
    [429, { error: { code: "insufficient_quota", message: "You exceeded your current quota" } }, "refused"],
    [429, [{
      error: { code: 429, message: "You exceeded your current quota", status: "RESOURCE_EXHAUSTED" },
    }], "rate_limited"],
    [400, {
      error: { message: "Your credit balance is too low to access the API", type: "invalid_request_error" },
    }, "refused"],
    [400, [{
      error: {
        code: 400,
        message: "API key not valid.",
        status: "INVALID_ARGUMENT",
        details: [{ reason: "API_KEY_INVALID" }],
      },
    }], "refused"],
    [400, { error: { message: "vendor/x is not a valid model ID", code: 400 } }, "no_model"],
    [404, { error: { message: 'model "x" not found, try pulling it first' } }, "no_model"],
    [400, {
      error: {
        code: "content_filter",
        message: "The response was filtered",
        innererror: { code: "ResponsibleAIPolicyViolation" },
      },
    }, "content_refused"],
    [403, {
      error: {
        code: 403,
        message: "m requires moderation. Your input was flagged",
        metadata: { reasons: ["violence"], flagged_input: "x" },
      },
    }, "content_refused"],
    [
      403,
      { error: { message: "Country not supported", code: "unsupported_country_region_territory" } },
      "refused",
    ],
    [500, { error: { message: "Upstream failed", code: 429 } }, "rate_limited"],
    [502, { error: { message: "x", code: "529" } }, "unavailable"],
    [400, { type: "error", error: { type: "overloaded_error", message: "Overloaded" } }, "unavailable"],
    [504, "<html>Gateway time-out</html>", "timeout"],
    [302, "", "refused"],
  ];
  for (const [status, body, cause] of cases) assert.equal(causeOf(status, body), cause, JSON.stringify(body));
});

Deno.test("failureOf() takes a request that alone is more than the rate for too long, and an ordinary 429 for what it is", () => {
  const error = (message: string) =>
    failureOf(
      APIError.generate(
        429,
        { error: { error: { message, type: "tokens", code: "rate_limit_exceeded" } } },
        undefined,
        new Headers(),
      ),
      1_000,
      "llm.test",
    );
  const never = error(
    "Request too large for model m on tokens per minute (TPM): Limit 8000, Requested 10000, please reduce",
  );
  assert.deepEqual([never.cause, never.fittingShare], ["too_long", 0.8]);
  const later = error(
    "Rate limit reached on tokens per min (TPM): Limit 8000, Used 7900, Requested 900. Please try again in 7.66s.",
  );
  assert.deepEqual([later.cause, later.headers["retry-after"]], ["rate_limited", "8"]);
});

Deno.test("failureOf() rounds a provider's wait up and never drops it", () => {
  const wait = (headers: Record<string, string>, body: unknown = { message: "slow down" }) =>
    failureOf(APIError.generate(429, { error: body }, undefined, new Headers(headers)), 1_000, "llm.test")
      .headers["retry-after"];
  assert.equal(wait({ "retry-after": "0.5" }), "1");
  assert.equal(wait({ "retry-after": "7.66" }), "8");
  assert.equal(wait({ "retry-after": "7" }), "7");
  assert.equal(wait({ "retry-after": "0", "retry-after-ms": "1200" }), "2");
  assert.equal(wait({ "retry-after": "1m30.2s" }), "91");
  assert.equal(wait({ "retry-after": "Sat, 28 Nov 2026 18:00:00 GMT" }), "Sat, 28 Nov 2026 18:00:00 GMT");
  const gemini = [{
    error: { code: 429, message: "quota", details: [{ "@type": "RetryInfo", retryDelay: "38.4s" }] },
  }];
  assert.equal(wait({}, gemini), "39");
  assert.equal(wait({}), undefined);
});

Deno.test("failureOf() repeats no code that is none", () => {
  const { detail } = failureOf(
    apiError(401, { code: "sk-key\u0000 and more", message: "x" }),
    1_000,
    "llm.test",
  );
  assert.equal(detail, "The provider answered 401");
});
