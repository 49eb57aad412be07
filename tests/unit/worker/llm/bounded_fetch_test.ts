// Tests that no more of an answer is read than is allowed.

import assert from "node:assert/strict";
import { boundedFetch } from "../../../../worker/llm/bounded_fetch.ts";

const gzipped = async (bytes: number) =>
  await new Response(
    new Blob([new Uint8Array(bytes)]).stream().pipeThrough(new CompressionStream("gzip")),
  ).bytes();

Deno.test("boundedFetch() bounds what comes out of a packed answer, whatever length is stated", async () => {
  const packed = await gzipped(5_000_000);
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    () =>
      new Response(packed, {
        headers: { "content-encoding": "gzip", "content-length": String(packed.length) },
      }),
  );
  const response = await boundedFetch(100_000)(`http://127.0.0.1:${server.addr.port}/`);
  await assert.rejects(response.bytes());
  await server.shutdown();
});

Deno.test("boundedFetch() hands a refusal's whole body on, whatever its shape", async () => {
  const bodies = ['[{"error":{"code":400}}]', '{"message":"flat"}', "<html>"];
  for (const body of bodies) {
    const server = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen: () => {} },
      () => new Response(body, { status: 400, headers: { "retry-after": "2" } }),
    );
    const response = await boundedFetch(100_000)(`http://127.0.0.1:${server.addr.port}/`);
    const { error } = await response.json();
    assert.equal(typeof error === "string" ? error : JSON.stringify(error), body);
    assert.deepEqual([response.status, response.headers.get("retry-after")], [400, "2"]);
    await server.shutdown();
  }
});

Deno.test("boundedFetch() sends what stands before the @ of an address as Basic, as fetch does, and not in the address", async () => {
  const seen: (string | null)[] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, (request) => {
    seen.push(request.headers.get("authorization"));
    return Response.json({});
  });
  const headers = { authorization: "Bearer none" };
  for (const userInfo of ["user:p%40ss%C3%A9", "user", ":only", "100%:a%zz"]) {
    const address = `http://${userInfo}@127.0.0.1:${server.addr.port}/`;
    await (await fetch(address)).body?.cancel();
    // The key that the SDK sends where none is set.
    const response = await boundedFetch(1_000)(address, { headers });
    await response.body?.cancel();
    assert.ok(!response.url.includes("@"), response.url);
    const [theirs, ours] = seen.splice(0);
    assert.equal(ours, theirs, userInfo);
  }
  await server.shutdown();
});
