// The ingress in front of replicas: what it forwards, what it refuses, which calls wait and which are woken.

import assert from "node:assert/strict";
import { accessTokens } from "../../shared/http/bearer_token.ts";
import { Pool } from "../../shared/pool/pool.ts";
import { createIngress, type IngressDeps } from "../../worker/ingress/app.ts";
import { freePort } from "../support/ports.ts";
import { Gate, problem, StubWorker } from "../support/workers/stub_worker.ts";
import { until } from "../support/until.ts";

type App = ReturnType<typeof createIngress>;

/** An ingress in front of these workers for as long as `use` runs: two calls at once each. */
async function ingress(
  workers: readonly { readonly url: string }[],
  use: (app: App, pool: Pool) => Promise<void>,
  deps: Partial<IngressDeps> = {},
): Promise<void> {
  const urls = workers.map(({ url }) => new URL(url));
  const pool = new Pool({ urls, concurrency: 2, token: undefined, connectTimeoutMs: 500 });
  await pool.start();
  try {
    const app = createIngress({
      pool,
      maxBodyBytes: 1000,
      timeoutMs: 20_000,
      tokens: [],
      ratePerMinute: 0,
      proxies: 0,
      queue: { placesMax: 100, patienceMs: 20_000, wakeMs: 20_000 },
      scaling: { permitsPerReplica: 2, replicasMax: 10, idleMs: 60_000 },
      draining: () => false,
      ...deps,
    });
    await use(app, pool);
  } finally {
    await pool.close();
  }
}

/** The same behind a socket, where bodies and connections are what they are in production. */
async function served(app: App, use: (url: string) => Promise<void>): Promise<void> {
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request, info) => app.fetch(request, { peer: (info.remoteAddr as Deno.NetAddr).hostname }),
  );
  await use(`http://127.0.0.1:${server.addr.port}`);
}

const classify = (body: BodyInit, headers: Record<string, string> = {}): [string, RequestInit] => [
  "/classify",
  { method: "POST", body, headers: { "content-type": "application/json", ...headers } },
];

/** Sends a body chunk by chunk, without saying how long it is. */
function chunked(...chunks: readonly string[]): Request {
  const body = ReadableStream.from(chunks.map((chunk) => new TextEncoder().encode(chunk)));
  return new Request("http://ingress/classify", { method: "POST", body });
}

async function scaleOf(app: App) {
  return await (await app.request("/scale")).json();
}

const full = () => new Response(null, { status: 503, headers: { "retry-after": "1" } });

Deno.test("createIngress() passes method, path, query, body and the caller's own headers on, and the answer back", async () => {
  await using worker = new StubWorker(() =>
    Response.json({ category: "bug" }, { status: 200, headers: { "x-mine": "1", "retry-after": "3" } })
  );
  await ingress([worker], async (app) => {
    const headers = { authorization: "Bearer mine", "x-request-id": "r", connection: "keep-alive, x" };
    const response = await app.request("/classify?dry=1", { method: "POST", body: "{}", headers });
    assert.deepEqual(await response.json(), { category: "bug" });
    assert.equal(response.headers.get("x-mine"), "1");
    const [seen] = worker.requests;
    assert.deepEqual([seen?.method, seen?.path, seen?.text], ["POST", "/classify?dry=1", "{}"]);
    assert.equal(seen?.headers["authorization"], "Bearer mine");
    assert.equal(seen?.headers["x-request-id"], "r");
    assert.equal(seen?.headers["ackpool-deadline"], "20000");
    const put = await app.request("/tickets/7/category", { method: "PUT", body: "x" });
    await put.body?.cancel();
    assert.equal(worker.requests[1]?.method, "PUT");
    const get = await app.request("/openapi.json");
    await get.body?.cancel();
    assert.equal(worker.requests[2]?.path, "/openapi.json");
    const strange = await app.request("/classify", { method: "PROPFIND" });
    assert.deepEqual([strange.status, strange.headers.get("allow")?.includes("POST")], [405, true]);
    assert.equal(worker.requests.length, 3);
  });
});

Deno.test("createIngress() passes a worker's refusals on as they are", async () => {
  await using worker = new StubWorker(() => problem(422, "/problems/invalid-ticket"));
  await ingress([worker], async (app) => {
    const response = await app.request(...classify("{}"));
    assert.equal(response.status, 422);
    assert.equal(response.headers.get("content-type"), "application/problem+json");
    assert.equal((await response.json()).type, "/problems/invalid-ticket");
    worker.script = () => 401;
    assert.equal((await app.request(...classify("{}"))).status, 401);
    worker.script = () => 204;
    assert.equal((await app.request(...classify(""))).status, 204);
  });
});

Deno.test("createIngress() refuses a body over MAX_BODY_BYTES with 413 before it calls anybody", async () => {
  await using worker = new StubWorker();
  await ingress([worker], async (app) => {
    const large = "x".repeat(1001);
    const response = await app.request(...classify(large, { "content-length": "1001" }));
    assert.equal(response.status, 413);
    assert.equal((await response.json()).type, "/problems/body-too-large");
    assert.equal(worker.requests.length, 0);
  });
});

Deno.test("createIngress() answers 413 to a body without a length that is too large, and calls nobody", async () => {
  await using worker = new StubWorker();
  await ingress([worker], async (app) => {
    const response = await app.request(chunked("x".repeat(900), "y".repeat(200)));
    assert.deepEqual([response.status, (await response.json()).type], [413, "/problems/body-too-large"]);
    assert.equal(worker.requests.length, 0);
  });
});

Deno.test("createIngress() gives a call its permit when its body is whole: twenty that trickle hold none", async () => {
  await using worker = new StubWorker();
  await ingress([worker], async (app, pool) => {
    const gate = new Gate();
    const trickle = async function* () {
      yield new TextEncoder().encode("{");
      await gate.opened;
    };
    const slow = Array.from(
      { length: 20 },
      () =>
        app.request(
          new Request("http://ingress/classify", { method: "POST", body: ReadableStream.from(trickle()) }),
        ),
    );
    assert.equal((await app.request(...classify("{}"))).status, 200);
    assert.equal(worker.requests.length, 1);
    assert.equal(pool.inFlight, 0);
    gate.open();
    await Promise.all(slow);
  });
});

Deno.test("createIngress() streams answers: a chunk arrives before the next one leaves", async () => {
  const answer = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>();
  await using worker = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response(answer.readable),
  );
  await ingress([{ url: `http://127.0.0.1:${worker.addr.port}` }], async (app) => {
    await served(app, async (url) => {
      const writer = answer.writable.getWriter();
      writer.write(new TextEncoder().encode("one"));
      const response = await fetch(`${url}/classify`, { method: "POST", body: "{}" });
      const reader = response.body?.getReader();
      const read = async () => new TextDecoder().decode((await reader?.read())?.value);
      assert.equal(await read(), "one");
      await writer.write(new TextEncoder().encode("two"));
      assert.equal(await read(), "two");
      await writer.close();
      assert.equal((await reader?.read())?.done, true);
    });
  });
});

Deno.test("createIngress() sends the whole body again to the next replica", async () => {
  const script = () => Response.json({ category: "bug" });
  await using first = new StubWorker(full);
  await using second = new StubWorker(full);
  await ingress([first, second], async (app) => {
    const turn = () => {
      first.script = second.script = script;
      return full();
    };
    first.script = second.script = turn;
    const response = await app.request(chunked("x".repeat(400), "y".repeat(400)));
    assert.equal(response.status, 200);
    await response.body?.cancel();
    const bodies = [...first.requests, ...second.requests].map(({ text }) => text);
    assert.deepEqual(bodies, Array(2).fill("x".repeat(400) + "y".repeat(400)));
  });
});

Deno.test("createIngress() tries another replica while one is full, and waits for a while when all are", async () => {
  await using busy = new StubWorker(full);
  await using free = new StubWorker();
  await ingress([busy, free], async (app) => {
    for (let call = 0; call < 10; call++) {
      assert.equal((await app.request(...classify("{}"))).status, 200);
    }
    free.script = full;
    const waiting = app.request(...classify("{}"));
    await until("tries", () => free.requests.length > 10);
    free.script = () => 200;
    assert.equal((await waiting).status, 200);
  });
});

Deno.test("createIngress() serves those that wait in the order they came, as soon as a call ends", async () => {
  const gates = new Map<string, Gate>();
  await using worker = new StubWorker(({ text }) => {
    const gate = new Gate();
    gates.set(text, gate);
    return gate.opened.then(() => 200);
  });
  await ingress([worker], async (app) => {
    const names = ["held", "1", "2", "3", "4"];
    const calls: Promise<Response>[] = [];
    for (const name of names) {
      const call = app.request(...classify(name));
      calls.push(Promise.resolve(call));
      await until("its place", async () => {
        const { waiting, inFlight } = await scaleOf(app);
        return waiting + inFlight === calls.length && gates.size === Math.min(2, calls.length);
      });
    }
    // As each of them ends the next one begins, while the first is held.
    for (const name of names.slice(1)) {
      await until(`call ${name}`, () => gates.has(name));
      gates.get(name)?.open();
    }
    gates.get("held")?.open();
    for (const call of calls) assert.equal((await call).status, 200);
    assert.deepEqual(worker.requests.map(({ text }) => text), names);
    assert.equal(worker.inFlightMost, 2);
  });
});

Deno.test("createIngress() answers 503 with Retry-After at once when too many wait, and later to who waited in vain", async () => {
  const gate = new Gate();
  await using worker = new StubWorker(() => gate.opened.then(() => 200));
  await ingress([worker], async (app) => {
    const held = [app.request(...classify("1")), app.request(...classify("2"))];
    await until("both", () => worker.requests.length === 2);
    const waits = app.request(...classify("waits"));
    await until("it to wait", async () => (await scaleOf(app)).waiting === 1);
    const atOnce = await app.request(...classify("too many"));
    assert.deepEqual([atOnce.status, atOnce.headers.has("retry-after")], [503, true]);
    const { type, detail } = await atOnce.json();
    assert.deepEqual([type, detail], ["/problems/pool-full", "INGRESS_QUEUE calls wait already"]);
    const inVain = await waits;
    assert.deepEqual([inVain.status, inVain.headers.has("retry-after")], [503, true]);
    assert.match((await inVain.json()).detail, /INGRESS_PATIENCE_MS/);
    gate.open();
    for (const call of held) assert.equal((await call).status, 200);
    assert.equal(worker.requests.length, 2);
  }, { queue: { placesMax: 1, patienceMs: 1000, wakeMs: 1000 } });
});

Deno.test("createIngress() says that the provider is the reason, and until when, where it lets nobody through", async () => {
  const limited = () => problem(429, "/problems/rate-limited", { "retry-after": "60" });
  await using worker = new StubWorker(limited);
  await ingress([worker], async (app) => {
    const held = await until("the pool to hold back", async () => {
      const response = await app.request(...classify("{}"));
      assert.equal(response.status, 429);
      const { detail } = await response.json();
      return detail !== undefined && { detail, retryAfter: Number(response.headers.get("retry-after")) };
    });
    assert.match(held.detail, /^The provider behind all replicas/);
    assert.ok(held.retryAfter > 1 && held.retryAfter <= 60);
  }, { queue: { placesMax: 100, patienceMs: 100, wakeMs: 100 } });
});

Deno.test("createIngress() wakes a replica: a call waits for the first one, and /scale says so", async () => {
  const port = freePort();
  await ingress([{ url: `http://127.0.0.1:${port}` }], async (app) => {
    assert.deepEqual(await scaleOf(app), {
      waiting: 0,
      inFlight: 0,
      oldestWaitMs: null,
      idleMs: null,
      replicas: 1,
      wantedReplicas: 0,
    });
    const calls = ["1", "2", "3"].map((name) => app.request(...classify(name)));
    const asking = await until("all to wait", async () => {
      const scale = await scaleOf(app);
      return scale.waiting === 3 && scale;
    });
    assert.deepEqual([asking.wantedReplicas, asking.replicas, asking.idleMs], [2, 0, 0]);
    assert.ok(asking.oldestWaitMs > 0);
    await using worker = new StubWorker(() => 200, { port });
    for (const call of calls) assert.equal((await call).status, 200);
    assert.equal(worker.requests.length, 3);
    const after = await scaleOf(app);
    assert.deepEqual([after.waiting, after.inFlight, after.replicas, after.wantedReplicas], [0, 0, 1, 1]);
  });
});

Deno.test("createIngress() asks for the token before a call takes a permit or wakes anything", async () => {
  await using worker = new StubWorker();
  await ingress([worker], async (app) => {
    for (const headers of [{}, { authorization: "Bearer wrong" }, { authorization: "Basic bmV3" }]) {
      const response = await app.request(...classify("{}", headers as Record<string, string>));
      assert.deepEqual([response.status, response.headers.get("www-authenticate")], [401, "Bearer"]);
      assert.match((await response.json()).detail, /^Send the header `Authorization: Bearer <token>`/);
    }
    assert.equal(worker.requests.length, 0);
    const { idleMs, wantedReplicas } = await scaleOf(app);
    assert.deepEqual([idleMs, wantedReplicas], [null, 0]);
    for (const token of ["new", "old"]) {
      assert.equal((await app.request(...classify("{}", { authorization: `Bearer ${token}` }))).status, 200);
    }
    assert.deepEqual(worker.requests.map(({ headers }) => headers["authorization"]), [
      "Bearer new",
      "Bearer old",
    ]);
    for (const path of ["/livez", "/readyz", "/metrics", "/scale", "/problems/pool-full"]) {
      assert.equal((await app.request(path)).status, 200, path);
    }
  }, { tokens: accessTokens("new,old") });
});

Deno.test("createIngress() limits the rate of a client, says what is left, and lets others through", async () => {
  await using worker = new StubWorker();
  await ingress([worker], async (app) => {
    const call = (headers: Record<string, string>) =>
      app.request(...classify("{}", headers), { peer: "10.0.0.1" });
    const mine = { authorization: "Bearer mine" };
    const first = await call(mine);
    assert.equal(first.headers.get("ratelimit-policy"), '"client";q=2;w=60');
    assert.equal(first.headers.get("ratelimit"), '"client";r=1;t=30');
    // However the same token is spelt, it is the same client.
    await call({ authorization: "bearer   mine " });
    const third = await call(mine);
    assert.deepEqual([third.status, third.headers.get("ratelimit")], [429, '"client";r=0;t=60']);
    assert.ok(Number(third.headers.get("retry-after")) > 0);
    const { type, "violated-policies": violated } = await third.json();
    assert.deepEqual([type, violated], ["/problems/too-many-calls", ["client"]]);
    assert.equal((await call({ authorization: "Bearer yours" })).status, 200);
    // Guesses of a token count against the address they come from.
    const guesses: number[] = [];
    for (const token of ["a", "b", "c"]) {
      guesses.push((await call({ authorization: `Bearer ${token}` })).status);
    }
    assert.deepEqual(guesses, [401, 401, 429]);
    assert.equal(worker.requests.length, 3);
  }, { tokens: accessTokens("mine,yours"), ratePerMinute: 2 });
});

Deno.test("createIngress() gives figures of its own on /metrics, and pages for every problem without a worker", async () => {
  await using worker = new StubWorker();
  await ingress([worker], async (app) => {
    await app.request(...classify("{}"));
    await app.request(...classify("x".repeat(2000), { "content-length": "2000" }));
    const text = await until("both to be counted", async () => {
      const text = await (await app.request("/metrics")).text();
      return text.includes('status="200"} 1') && text;
    });
    assert.match(text, /^ackpool_ingress_calls_total\{status="413"\} 1$/m);
    assert.match(text, /^ackpool_ingress_tries_total 1$/m);
    assert.match(text, /^ackpool_ingress_permits 2$/m);
    for (const slug of ["pool-full", "unauthorized", "ticket-held"]) {
      assert.equal((await (await app.request(`/problems/${slug}`)).json()).type, `/problems/${slug}`);
    }
    assert.deepEqual(worker.requests.map(({ path }) => path), ["/classify"]);
  });
});

Deno.test("createIngress() answers 504 when the worker takes too long", async () => {
  const gate = new Gate();
  await using worker = new StubWorker(() => gate.opened.then(() => 200));
  await ingress([worker], async (app) => {
    const response = await app.request(...classify("{}"));
    assert.equal(response.status, 504);
    assert.equal((await response.json()).type, "/problems/worker-timeout");
    gate.open();
  }, { timeoutMs: 200 });
});

Deno.test("createIngress() answers 503 with Retry-After when no replica has come", async () => {
  await ingress([{ url: `http://127.0.0.1:${freePort()}` }], async (app) => {
    const response = await app.request(...classify("{}"));
    assert.equal(response.status, 503);
    assert.equal(response.headers.get("retry-after"), "5");
    assert.equal((await response.json()).type, "/problems/no-replica");
    const ready = await app.request("/readyz");
    assert.equal(ready.status, 503);
    assert.equal((await ready.json()).causes[0].name, "no-replica");
    assert.equal((await app.request("/livez")).status, 200);
  }, { queue: { placesMax: 100, patienceMs: 200, wakeMs: 500 } });
});

Deno.test("createIngress() is ready with replicas at zero while nobody calls", async () => {
  await ingress([{ url: `http://127.0.0.1:${freePort()}` }], async (app, pool) => {
    await pool.checkReady();
    assert.equal((await app.request("/readyz")).status, 200);
  });
});

Deno.test("createIngress() is not ready while all workers say that they refuse every call, and says why", async () => {
  await using worker = new StubWorker(() => 403);
  const said = { name: "provider-refused", detail: "no model gpt-x", remedy: "Set OPENAI_MODEL" };
  worker.ready = () => Response.json({ causes: [said] }, { status: 503 });
  await ingress([worker], async (app, pool) => {
    await pool.checkReady();
    const ready = await app.request("/readyz");
    const { causes: [cause] } = await ready.json();
    assert.deepEqual([ready.status, cause.name, cause.remedy], [
      503,
      "workers-not-ready",
      "Set OPENAI_MODEL",
    ]);
    assert.match(cause.detail, /provider-refused: no model gpt-x/);
    worker.ready = () => 200;
    await pool.checkReady();
    assert.equal((await app.request("/readyz")).status, 200);
  });
});

Deno.test("createIngress() answers 502 to a call whose worker died, and asks another one where that is harmless", async () => {
  const dying = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  let calls = 0;
  const killing = (async () => {
    for await (const connection of dying) {
      await connection.read(new Uint8Array(1000));
      calls += 1;
      connection.close();
    }
  })();
  await ingress([{ url: `http://127.0.0.1:${dying.addr.port}` }], async (app) => {
    const response = await app.request(...classify("{}"));
    assert.deepEqual([response.status, (await response.json()).type], [502, "/problems/worker-lost"]);
    assert.equal(calls, 1);
    assert.equal((await app.request("/tickets/7")).status, 502);
    assert.equal(calls, 3);
  });
  dying.close();
  await killing.catch(() => {});
});

Deno.test("createIngress() gives a call up when its caller goes away", async () => {
  const [gate, gone] = [new Gate(), Promise.withResolvers<void>()];
  await using worker = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    request.signal.addEventListener("abort", () => gone.resolve());
    gate.open();
    await gone.promise;
    return new Response();
  });
  await ingress([{ url: `http://127.0.0.1:${worker.addr.port}` }], async (app) => {
    const caller = new AbortController();
    const [path, init] = classify("{}");
    const call = app.request(path, { ...init, signal: caller.signal });
    await gate.opened;
    caller.abort();
    await gone.promise;
    assert.equal((await call).status, 499);
  });
});
