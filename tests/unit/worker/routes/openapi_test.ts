// Tests of the OpenAPI document and its page.

import assert from "node:assert/strict";
import { accessTokens } from "../../../../shared/http/bearer_token.ts";
import { PROBLEMS } from "../../../../worker/http/problems.ts";
import { workerApp } from "../../../support/workers/worker_app.ts";

Deno.test("GET /openapi.json describes every route, with problems on every error", async () => {
  const { app } = workerApp({ tokens: accessTokens("secret") });
  const document = await (await app.request("/openapi.json")).json();
  assert.equal(document.openapi, "3.1.1");
  assert.deepEqual(Object.keys(document.paths).sort(), [
    "/classify",
    "/classify/batch",
    "/docs",
    "/livez",
    "/metrics",
    "/openapi.json",
    "/problems/{slug}",
    "/readyz",
    "/review",
    "/tickets/{id}",
    "/tickets/{id}/label",
  ]);
  const operations = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(
      item as Record<string, { operationId?: string; responses: Record<string, { content?: object }> }>,
    )
      .map(([method, operation]) => ({ name: `${method} ${path}`, operation }))
  );
  for (const { name, operation } of operations) {
    assert.ok(operation.operationId, name);
    for (const [status, { content }] of Object.entries(operation.responses)) {
      if (Number(status) < 400 || name === "get /readyz") continue;
      assert.deepEqual(Object.keys(content ?? {}), ["application/problem+json"], `${name} ${status}`);
    }
  }
  const statuses = new Set(operations.flatMap(({ operation }) => Object.keys(operation.responses)));
  const undocumented = Object.entries(PROBLEMS).filter(([slug, { status }]) =>
    slug !== "method-not-allowed" && !statuses.has(String(status))
  );
  assert.deepEqual(undocumented, []);
});

Deno.test("GET /openapi.json takes the ticket's shape from the schema that checks it", async () => {
  const { app } = workerApp();
  const document = await (await app.request("/openapi.json")).json();
  const { schema } = document.paths["/classify"].post.requestBody.content["application/json"];
  assert.deepEqual(schema.required, ["subject", "body"]);
  assert.equal(schema.properties.subject.maxLength, 10_000);
});

Deno.test("GET /docs needs nothing from the network and no script", async () => {
  const { app } = workerApp();
  const response = await app.request("/docs");
  const page = await response.text();
  assert.match(response.headers.get("content-type") ?? "", /^text\/html/);
  assert.match(page, /POST<\/span> \/classify\/batch/);
  assert.doesNotMatch(page, /<script|<link|src=|url\(|undefined/);
});
