import assert from "node:assert/strict";
import {
  OauthTokens,
  TokenRefused,
  TokenServerAway,
} from "../../../../../consumer/kafka/client/oauth_tokens.ts";

type Answer = readonly [status: number, body: unknown];

/** A token server with a script, a clock, and the tokens we get. */
function scene(answer: (asked: number, request: Request, body: string) => Answer) {
  let asked = 0;
  let nowMs = 1000;
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, async (request) => {
    const [status, body] = answer(asked += 1, request, await request.text());
    return typeof body === "string" ? new Response(body, { status }) : Response.json(body, { status });
  });
  const tokens = new OauthTokens({
    tokenUrl: new URL(`http://127.0.0.1:${server.addr.port}/token`),
    clientId: "consumer",
    clientSecret: "s3cret",
    scope: "kafka",
  }, () => nowMs);
  return {
    tokens,
    pass: (ms: number) => nowMs += ms,
    get asked() {
      return asked;
    },
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

const token = (value: string, seconds = 3600): Answer => [
  200,
  { access_token: value, token_type: "Bearer", expires_in: seconds },
];

Deno.test("OauthTokens.current() asks with the client's credentials and scope", async () => {
  await using each = scene((_, request, body) => {
    assert.equal(request.headers.get("authorization"), `Basic ${btoa("consumer:s3cret")}`);
    assert.deepEqual(Object.fromEntries(new URLSearchParams(body)), {
      grant_type: "client_credentials",
      scope: "kafka",
    });
    return token("first");
  });
  assert.equal(await each.tokens.current(), "first");
});

Deno.test("OauthTokens.current() asks once for callers that come together, and again before the token ends", async () => {
  await using each = scene((asked) => token(`token-${asked}`, 100));
  const both = await Promise.all([each.tokens.current(), each.tokens.current()]);
  assert.deepEqual(both, ["token-1", "token-1"]);
  each.pass(60_000);
  assert.equal(await each.tokens.current(), "token-1");
  each.pass(15_000);
  assert.equal(await each.tokens.current(), "token-2");
});

Deno.test("OauthTokens.current() gives a short-lived token to one login alone", async () => {
  await using each = scene((asked) => token(`token-${asked}`, 20));
  assert.equal(await each.tokens.current(), "token-1");
  assert.equal(await each.tokens.current(), "token-2");
});

Deno.test("OauthTokens.current() goes on with a token that is still good when no new one comes", async () => {
  await using each = scene((asked) => asked === 1 ? token("only", 100) : [503, "away"]);
  await each.tokens.current();
  each.pass(90_000);
  assert.equal(await each.tokens.current(), "only");
  each.pass(11_000);
  await assert.rejects(each.tokens.current(), TokenServerAway);
});

Deno.test("OauthTokens.current() tells a refusal from a server that is away, and never the secret", async () => {
  await using refusing = scene(() => [401, { error: "invalid_client", error_description: "no such client" }]);
  await assert.rejects(refusing.tokens.current(), (error: Error) => {
    assert.ok(error instanceof TokenRefused);
    assert.match(error.message, /\/token gave us no token but 401: invalid_client: no such client/);
    assert.doesNotMatch(error.message, /s3cret/);
    return true;
  });
  await using lost = scene(() => [404, "<html>not here</html>"]);
  await assert.rejects(lost.tokens.current(), TokenRefused);
  await using busy = scene(() => [429, "later"]);
  await assert.rejects(busy.tokens.current(), TokenServerAway);
});
