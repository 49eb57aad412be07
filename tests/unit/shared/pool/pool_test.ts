import assert from "node:assert/strict";
import { Pool } from "../../../../shared/pool/pool.ts";
import { Gate, StubWorker } from "../../../support/workers/stub_worker.ts";
import { until } from "../../../support/until.ts";

const ATTEMPT = { headers: {}, body: null, timeoutMs: 20_000 };

async function poolFor(urls: readonly string[], addresses?: () => readonly string[]): Promise<Pool> {
  const pool = new Pool({
    urls: urls.map((url) => new URL(url)),
    concurrency: 3,
    token: undefined,
    connectTimeoutMs: 500,
    ...(addresses === undefined ? {} : { lookUp: () => Promise.resolve(addresses()) }),
  });
  await pool.start();
  return pool;
}

Deno.test("Pool.send() says refused without a try when there is no replica at all", async () => {
  const pool = await poolFor(["http://nobody:1"], () => []);
  assert.equal(pool.permits, 0);
  assert.deepEqual((await pool.send(ATTEMPT)).outcome, { kind: "refused", detail: "no replica" });
  await pool.close();
});

Deno.test("Pool.send() goes to the least busy replica when none is free, rather than to nobody", async () => {
  const gate = new Gate();
  await using worker = new StubWorker(() => gate.opened.then(() => 200));
  const pool = await poolFor([worker.url]);
  const sending = Array.from({ length: 5 }, () => pool.send(ATTEMPT));
  await until("all five", () => worker.requests.length === 5);
  assert.equal(pool.hasFree(), false);
  gate.open();
  for (const each of sending) assert.equal((await each).outcome.kind, "answer");
  await pool.close();
});

Deno.test("Pool gives a replica that said it is full its permits back when the time it asked for is over", async () => {
  let full = true;
  await using worker = new StubWorker(() =>
    full ? new Response(null, { status: 503, headers: { "retry-after": "1" } }) : 200
  );
  const pool = await poolFor([worker.url]);
  await pool.send(ATTEMPT);
  const restingMs = performance.now();
  assert.equal(pool.permits, 0);
  full = false;
  const permits: number[] = [];
  pool.onChange(() => permits.push(pool.permits));
  await until("a permit", () => pool.permits > 0);
  await until("to be told", () => permits.length > 0);
  assert.ok(performance.now() - restingMs >= 950, `rested for ${performance.now() - restingMs} ms`);
  await pool.close();
});

Deno.test("Pool.checkReady() asks /readyz: a 5xx from all means no, anything else from one means yes", async () => {
  await using first = new StubWorker();
  await using second = new StubWorker();
  first.ready = () => 503;
  second.ready = () => 503;
  const pool = await poolFor([first.url, second.url]);
  assert.equal(await pool.checkReady(), false);
  second.ready = () => 404;
  assert.equal(await pool.checkReady(), true);
  await pool.close();
});

Deno.test("Pool checks a replica again that was ejected, left the name and came back with work in flight", async () => {
  const gate = new Gate();
  let failing = false;
  await using sick = new StubWorker(({ headers }) =>
    headers["x-held"] !== undefined ? gate.opened.then(() => 200) : failing ? 500 : 200
  );
  await using _well = new StubWorker(() => 200, { hostname: "127.0.0.2", port: sick.port });
  sick.ready = () => 503;
  let listed = ["127.0.0.1", "127.0.0.2"];
  const pool = await poolFor([`http://workers:${sick.port}`], () => listed);
  const held: Promise<unknown>[] = [];
  while (sick.requests.length === 0) {
    const sending = pool.send({ ...ATTEMPT, headers: { "x-held": "1" } });
    held.push(sending);
    await Promise.race([sending, until("it to arrive", () => sick.requests.length > 0).catch(() => {})]);
  }
  failing = true;
  await until("its ejection", async () => {
    await pool.send(ATTEMPT);
    return pool.replicas.some(({ ejected }) => ejected);
  });
  listed = ["127.0.0.2"];
  await until("its leave", () => pool.replicas.some(({ leaving }) => leaving), { timeoutMs: 10_000 });
  failing = false;
  sick.ready = () => 200;
  listed = ["127.0.0.1", "127.0.0.2"];
  await until("its return", () => pool.replicas.every(({ ejected, leaving }) => !ejected && !leaving), {
    timeoutMs: 15_000,
  });
  gate.open();
  await Promise.all(held);
  await pool.close();
});

Deno.test("Pool.close() ends what is in flight and leaves nothing running", async () => {
  const gate = new Gate();
  await using worker = new StubWorker(() => gate.opened.then(() => 200));
  const pool = await poolFor([worker.url]);
  const sending = pool.send(ATTEMPT);
  await until("a request", () => worker.requests.length === 1);
  await pool.close();
  assert.equal((await sending).outcome.kind, "reset");
  gate.open();
});

Deno.test("Pool says by time alone when the provider's rate has room again, whatever is still on its way", async () => {
  const gate = new Gate();
  const rate = { "x-ratelimit-limit-requests": "2", "x-ratelimit-remaining-requests": "0" };
  let asked = 0;
  await using worker = new StubWorker(() =>
    ++asked === 1
      ? new Response(null, { headers: { ...rate, "x-ratelimit-reset-requests": "100ms" } })
      : gate.opened.then(() => 200)
  );
  // A look-up changes permits, too: here there is only the first.
  let looks = 0;
  const pool = new Pool({
    urls: [new URL(`http://workers:${worker.port}`)],
    concurrency: 3,
    token: undefined,
    connectTimeoutMs: 500,
    lookUp: () => looks++ === 0 ? Promise.resolve(["127.0.0.1"]) : new Promise(() => {}),
  });
  await pool.start();
  await pool.send(ATTEMPT);
  const sending: Promise<unknown>[] = [];
  pool.onChange(() => {
    if (pool.hasFree()) sending.push(pool.send(ATTEMPT));
  });
  await until("three on their way", () => pool.inFlight === 3, { timeoutMs: 10_000 });
  gate.open();
  await Promise.all(sending);
  await pool.close();
});

Deno.test("Pool says that no replica takes work also where the provider lets nobody through", async () => {
  await using worker = new StubWorker(() =>
    new Response(null, { status: 429, headers: { "retry-after": "60" } })
  );
  const pool = await poolFor([worker.url]);
  await pool.send(ATTEMPT);
  assert.deepEqual([pool.permits, pool.causes().map(({ name }) => name)], [0, ["rate-limited"]]);
  // What cannot wait is sent all the same.
  await worker[Symbol.asyncDispose]();
  for (let each = 0; each < 3; each++) await pool.send(ATTEMPT);
  assert.deepEqual(pool.causes().map(({ name }) => name), ["no-replica", "rate-limited"]);
  await pool.close();
});

Deno.test("Pool goes by a clock that nobody sets: a rest ends in time when the machine's clock is put back", async () => {
  await using worker = new StubWorker(() =>
    new Response(null, { status: 429, headers: { "retry-after": "1" } })
  );
  const pool = await poolFor([worker.url]);
  const wallClock = Date.now;
  try {
    await pool.send(ATTEMPT);
    assert.equal(pool.permits, 0);
    Date.now = () => wallClock() - 600_000;
    await until("the rest's end", () => pool.permits > 0, { timeoutMs: 10_000 });
    assert.deepEqual(pool.causes(), []);
  } finally {
    Date.now = wallClock;
    await pool.close();
  }
});

Deno.test("Pool ends a replica's long rest when its /readyz says yes, and not before", async () => {
  await using worker = new StubWorker(() =>
    new Response(null, { status: 503, headers: { "retry-after": "200" } })
  );
  let asked = 0;
  worker.ready = () => ++asked < 2 ? 503 : 200;
  const pool = await poolFor([worker.url]);
  await pool.send(ATTEMPT);
  assert.equal(pool.permits, 0);
  await until("a first question", () => asked === 1, { timeoutMs: 15_000 });
  assert.equal(pool.permits, 0);
  await until("the rest's end", () => pool.permits > 0, { timeoutMs: 15_000 });
  assert.equal(asked, 2);
  await pool.close();
});

Deno.test("Pool rests for no longer than RETRY_AFTER_MAX_MS, whoever asks for more", async () => {
  const month = { "retry-after": "2592000" };
  for (const status of [429, 503]) {
    await using worker = new StubWorker(() => new Response(null, { status, headers: month }));
    const pool = new Pool({
      urls: [new URL(worker.url)],
      concurrency: 3,
      token: undefined,
      connectTimeoutMs: 500,
      retryAfterMaxMs: 1000,
    });
    await pool.start();
    const { outcome } = await pool.send(ATTEMPT);
    assert.equal(outcome.kind === "answer" && outcome.retryAfterMs, 1000);
    assert.equal(pool.permits, 0);
    let changes = 0;
    pool.onChange(() => changes++);
    await until("a permit", () => pool.permits > 0, { timeoutMs: 10_000 });
    // A timer that is set for longer than it can hold fires at once, again and again.
    assert.ok(changes <= 2, `${changes} changes`);
    await pool.close();
  }
});
