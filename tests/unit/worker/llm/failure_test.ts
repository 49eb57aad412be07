// Tests of what an error of the SDK means.

import assert from "node:assert/strict";
import { APIConnectionTimeoutError, APIError } from "openai";
import { openaiLlm } from "../../../../worker/llm/client.ts";
import { freePort } from "../../../support/ports.ts";
import { failureOf, protocolFailure, unsupportedFeature } from "../../../../worker/llm/failure.ts";

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
    "The provider answered 400 (an unreadable code)",
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

Deno.test("protocolFailure() knows a 200 that says nobody has paid", () => {
  assert.equal(protocolFailure({ code: "insufficient_quota" }, undefined).cause, "refused");
  assert.equal(protocolFailure(undefined, undefined).cause, "unavailable");
});

Deno.test("unsupportedFeature() believes the parameter before the message, which may repeat the ticket", () => {
  assert.equal(unsupportedFeature(apiError(400, { param: "top_logprobs", message: "no" })), "logprobs");
  assert.equal(unsupportedFeature(apiError(400, { message: "json_schema is not supported" })), "schema");
  assert.equal(
    unsupportedFeature(apiError(400, { param: "messages", message: "bad text: logprobs" })),
    undefined,
  );
  assert.equal(unsupportedFeature(apiError(500, { param: "logprobs" })), undefined);
});
