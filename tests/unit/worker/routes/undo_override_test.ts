// Tests of overrides that are taken back over HTTP.

import assert from "node:assert/strict";
import { accessTokens } from "../../../../shared/http/bearer_token.ts";
import { workerApp, type WorkerAppOptions } from "../../../support/workers/worker_app.ts";

const JSON_TYPE = { "content-type": "application/json" };

function scene(options: WorkerAppOptions = {}) {
  const { app, tables, classify } = workerApp(options);
  tables.tickets.set("17", { category: null, classifiedAtMs: null });
  const undo = async (path: string, headers: Record<string, string> = {}) => {
    const response = await app.request(path, { method: "DELETE", headers });
    return [response.status, await response.json()] as const;
  };
  const override = (headers: Record<string, string> = {}) =>
    app.request("/tickets/17/label", {
      method: "PUT",
      headers: { ...JSON_TYPE, ...headers },
      body: JSON.stringify({ category: "account", by: "ada" }),
    });
  return { tables, classify, undo, override };
}

Deno.test("DELETE /tickets/{id}/label takes an override back, and once more does nothing", async () => {
  const { tables, classify, undo, override } = scene();
  await classify({ ticket_id: 17, subject: "s", body: "b" });
  assert.equal((await override()).status, 200);
  assert.equal(tables.tickets.get("17")?.category, "account");
  const expected = { ticket_id: "17", category: "billing" };
  assert.deepEqual(await undo("/tickets/17/label?by=grace"), [200, { ...expected, undone: true }]);
  assert.equal(tables.tickets.get("17")?.category, "billing");
  assert.deepEqual(await undo("/tickets/17/label?by=grace"), [200, { ...expected, undone: false }]);
});

Deno.test("DELETE /tickets/{id}/label says who is missing, and knows no ticket that is not there", async () => {
  const { undo } = scene();
  assert.equal((await undo("/tickets/99/label?by=ada"))[0], 404);
  for (const query of ["", "?by=", "?by=a%0ab", `?by=${"x".repeat(201)}`]) {
    assert.equal((await undo(`/tickets/17/label${query}`))[0], 422, query);
  }
});

Deno.test("DELETE /tickets/{id}/label is for those who may override", async () => {
  const tokens = accessTokens("delivery-token", [{ token: "reader-token", scopes: ["read", "classify"] }]);
  const { undo } = scene({ tokens });
  const path = "/tickets/17/label?by=ada";
  assert.equal((await undo(path))[0], 401);
  assert.equal((await undo(path, { authorization: "Bearer reader-token" }))[0], 403);
});
