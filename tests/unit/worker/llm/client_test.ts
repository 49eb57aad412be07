// Tests of what a call of the LLM carries.

import assert from "node:assert/strict";
import { openaiLlm } from "../../../../worker/llm/client.ts";

Deno.test("openaiLlm() sends its key and tells the provider nothing of this machine", async () => {
  const seen: Record<string, string>[] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, (request) => {
    seen.push(Object.fromEntries(request.headers));
    return Response.json({ choices: [{ message: { content: "billing" } }] });
  });
  const llm = openaiLlm({
    apiKey: "key",
    baseUrl: `http://127.0.0.1:${server.addr.port}/v1`,
    model: "stub",
    timeoutMs: 30_000,
  });
  const prompt = { system: "s", user: "u", schemaName: "n", schema: {}, answers: 1 };
  assert.equal((await llm.complete(prompt, undefined)).kind, "completed");
  await server.shutdown();
  const [headers = {}] = seen;
  assert.equal(headers["authorization"], "Bearer key");
  assert.deepEqual(Object.keys(headers).filter((name) => name.startsWith("x-stainless")), []);
});
