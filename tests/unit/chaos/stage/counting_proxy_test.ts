// The counting proxy against a real HTTP client and server on loopback.

import assert from "node:assert/strict";
import { Pool } from "undici";
import { CountingProxy } from "../../../chaos/stage/counting_proxy.ts";
import { Journal } from "../../../chaos/stage/journal.ts";
import { until } from "../../../support/until.ts";

const worker = (handler: (request: Request) => Response | Promise<Response>) =>
  Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, handler);

const post = (pool: Pool, key: string, body: string) =>
  pool.request({ method: "POST", path: "/classify", headers: { "idempotency-key": key }, body });

Deno.test("CountingProxy notes every keyed POST and its status over one kept connection", async () => {
  await using server = worker(async (request) => {
    const text = await request.text();
    return new Response(text.repeat(3), { status: text.startsWith("bad") ? 422 : 200 });
  });
  const journal = new Journal();
  using proxy = new CountingProxy(server.addr.port, "consumer 1", 0, journal);
  const pool = new Pool(proxy.url, { connections: 1 });
  const bodies = ["bad HTTP/1.1 200 OK\r\n\r\n", "x".repeat(200_000), "ü\r\n\r\nPOST /classify HTTP/1.1\r\n"];
  for (const [index, body] of bodies.entries()) {
    const response = await post(pool, `"t/0/${index}"`, body);
    assert.equal(await response.body.text(), body.repeat(3));
  }
  await (await pool.request({ method: "GET", path: "/readyz" })).body.dump();
  await pool.close();
  assert.deepEqual(
    journal.posts.map(({ key, answer }) => [key, answer?.status]),
    [['"t/0/0"', 422], ['"t/0/1"', 200], ['"t/0/2"', 200]],
  );
  assert.deepEqual([...journal.settled.keys()], ['"t/0/1"', '"t/0/2"']);
});

Deno.test("CountingProxy leaves a POST open when the worker dies before it answers", async () => {
  const arrived = Promise.withResolvers<void>();
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepting = listener.accept().then(async (connection) => {
    await connection.read(new Uint8Array(1000));
    arrived.resolve();
    return connection;
  });
  const journal = new Journal();
  using proxy = new CountingProxy((listener.addr as Deno.NetAddr).port, "consumer 1", 0, journal);
  const pool = new Pool(proxy.url);
  const response = post(pool, '"t/0/7"', "{}");
  await arrived.promise;
  (await accepting).close();
  await assert.rejects(response, /other side closed|ECONNRESET/);
  listener.close();
  await pool.destroy();
  assert.deepEqual([...journal.inFlight()], ['"t/0/7"']);
  await until("the loss in the journal", () => journal.posts[0]?.lostAtMs !== undefined);
});

Deno.test("CountingProxy refuses connections from the first one on that its worker refuses", async () => {
  const worker = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = worker.addr as Deno.NetAddr;
  worker.close();
  using proxy = new CountingProxy(port, "consumer 1", 0, new Journal());
  const address = { hostname: "127.0.0.1", port: Number(new URL(proxy.url).port) };
  await until("a refusal", async () => {
    const attempt = await Deno.connect(address).catch((error) => error);
    if (!(attempt instanceof Error)) attempt.close();
    return attempt instanceof Deno.errors.ConnectionRefused;
  });
});

Deno.test("CountingProxy refuses connections between close() and open(), on the same port", async () => {
  await using server = worker(() => new Response());
  using proxy = new CountingProxy(server.addr.port, "consumer 1", 0, new Journal());
  const url = proxy.url;
  proxy.close();
  const address = { hostname: "127.0.0.1", port: Number(new URL(url).port) };
  await until("a refusal", async () => {
    const attempt = await Deno.connect(address).catch((error) => error);
    return attempt instanceof Deno.errors.ConnectionRefused;
  });
  proxy.open();
  const response = await fetch(url);
  await response.body?.cancel();
  assert.equal(response.status, 200);
  assert.equal(proxy.url, url);
});

Deno.test("CountingProxy notes each record of a streamed batch, and the loss of those without a line", async () => {
  await using server = worker(async (request) => {
    if (!request.url.endsWith("/batch")) return new Response("{}");
    const keys = (await request.text()).split("\n").filter(Boolean).map((line) =>
      JSON.parse(line).key as string
    );
    const lines = [
      `{"key":${JSON.stringify(keys[1])},"status":429}\n{"key":`,
      `${JSON.stringify(keys[0])},"status":200}\n`,
    ];
    const body = ReadableStream.from(lines).pipeThrough(new TextEncoderStream());
    return new Response(body, { headers: { "content-type": "application/x-ndjson" } });
  });
  const journal = new Journal();
  using proxy = new CountingProxy(server.addr.port, "consumer 1", 0, journal);
  const pool = new Pool(proxy.url, { connections: 1 });
  const lines = [0, 1, 2].map((offset) =>
    `${JSON.stringify({ key: `"t/0/${offset}"`, value: '{"a":1}' })}\n`
  );
  const batch = { method: "POST", path: "/classify/batch", body: lines.join("") } as const;
  await (await pool.request(batch)).body.text();
  await (await post(pool, '"t/0/3"', "{}")).body.text();
  await pool.close();
  assert.deepEqual(
    journal.posts.map(({ key, answer }) => [key, answer?.status]),
    [['"t/0/0"', 200], ['"t/0/1"', 429], ['"t/0/2"', undefined], ['"t/0/3"', 200]],
  );
  assert.notEqual(journal.posts[2]?.lostAtMs, undefined);
});
