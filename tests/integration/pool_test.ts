// The pool over several replicas on loopback addresses, while they are killed, refuse, hang, drain and slow down.

import assert from "node:assert/strict";
import { AttemptAbandoned } from "../../shared/pool/exchange/buffered.ts";
import { Pool, type PoolConfig } from "../../shared/pool/pool.ts";
import { settle } from "../support/workers/pool_load.ts";
import { openSockets } from "../support/open_sockets.ts";
import { freePort } from "../support/ports.ts";
import { Gate, problem, type Script, StubWorker } from "../support/workers/stub_worker.ts";
import { until } from "../support/until.ts";

const ATTEMPT = { headers: {}, body: new TextEncoder().encode("{}"), timeoutMs: 2000 };

/** Replicas on 127.0.0.2, .3 …, all on one port, behind the name `workers`. */
class Replicas implements AsyncDisposable {
  readonly port = freePort();
  readonly all: (StubWorker | undefined)[] = [];
  /** What the look-up answers: indexes of replicas. */
  listed: number[] = [];

  constructor(scripts: readonly Script[]) {
    scripts.forEach((script, index) => this.start(index, script));
    this.listed = scripts.map((_, index) => index);
  }

  start(index: number, script: Script): StubWorker {
    const worker = new StubWorker(script, { hostname: `127.0.0.${index + 2}`, port: this.port });
    this.all[index] = worker;
    return worker;
  }

  async kill(index: number): Promise<void> {
    await this.all[index]?.[Symbol.asyncDispose]();
    this.all[index] = undefined;
  }

  requests(index: number): number {
    return this.all[index]?.requests.length ?? 0;
  }

  async pool(config: Partial<PoolConfig> = {}): Promise<Pool & AsyncDisposable> {
    const pool = new Pool({
      urls: [new URL(`http://workers:${this.port}`)],
      concurrency: 4,
      token: undefined,
      connectTimeoutMs: 500,
      lookUp: () => Promise.resolve(this.listed.map((index) => `127.0.0.${index + 2}`)),
      ...config,
    });
    await pool.start();
    return Object.assign(pool, { [Symbol.asyncDispose]: () => pool.close() });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.all.map((worker) => worker?.[Symbol.asyncDispose]()));
  }
}

const quickly: Script = async () => {
  await new Promise((resolve) => setTimeout(resolve, Math.random() * 5));
  return 200;
};

Deno.test("Pool spreads attempts over all addresses of a name and never exceeds their permits", async () => {
  await using replicas = new Replicas([quickly, quickly, quickly]);
  await using pool = await replicas.pool();
  assert.equal(pool.permits, 12);
  const { posts, overMost } = await settle(pool, 600);
  assert.equal(posts, 600);
  assert.ok(overMost <= 0, `over the permits: ${overMost}`);
  for (const [index, worker] of replicas.all.entries()) {
    assert.ok((worker?.requests.length ?? 0) > 100, `replica ${index} got ${worker?.requests.length}`);
    assert.ok((worker?.inFlightMost ?? 0) <= 4, `replica ${index} had ${worker?.inFlightMost} at once`);
  }
  assert.equal(pool.inFlight, 0);
});

Deno.test("Pool goes on with the others while a replica is killed, and takes it back by its /readyz", async () => {
  await using replicas = new Replicas([quickly, quickly]);
  await using pool = await replicas.pool();
  const load = settle(pool, 3000);
  await until("some work", () => replicas.requests(1) > 50);
  await replicas.kill(1);
  await until("its ejection", () => pool.replicas.some(({ ejected }) => ejected));
  assert.equal(pool.permits, 4);
  const revived = replicas.start(1, quickly);
  await until("its readmission", () => pool.replicas.every(({ ejected }) => !ejected));
  await until("work for it", () => revived.requests.length > 0);
  await load;
});

Deno.test("Pool readmits nobody whose /readyz says no", async () => {
  await using replicas = new Replicas([quickly, () => problem(500, "/problems/broken")]);
  const sick = replicas.all[1];
  assert.ok(sick);
  sick.ready = () => 503;
  await using pool = await replicas.pool();
  await settle(pool, 300);
  assert.equal(pool.replicas[1]?.ejected, true);
  const before = sick.requests.length;
  await settle(pool, 300);
  assert.equal(sick.requests.length, before);
});

Deno.test("Pool does not blame the only replica for errors it may not be the cause of", async () => {
  await using replicas = new Replicas([() => 500]);
  await using pool = await replicas.pool();
  for (let count = 0; count < 10; count++) await pool.send(ATTEMPT);
  assert.equal(pool.permits, 4);
});

Deno.test("Pool tells that no replica takes work, and when one does again", async () => {
  const replicas = new Replicas([]);
  replicas.listed = [0];
  await using _ = replicas;
  await using pool = await replicas.pool();
  let changes = 0;
  pool.onChange(() => changes++);
  for (let count = 0; count < 3; count++) assert.equal((await pool.send(ATTEMPT)).outcome.kind, "refused");
  assert.equal(pool.permits, 0);
  assert.deepEqual(pool.causes().map(({ name }) => name), ["no-replica"]);
  replicas.start(0, quickly);
  await until("a permit", () => pool.permits > 0);
  assert.deepEqual(pool.causes(), []);
  assert.ok(changes >= 2);
  assert.equal((await pool.send(ATTEMPT)).outcome.kind, "answer");
});

Deno.test("Pool ends an attempt on a hanging replica by its time limit and frees the permit", async () => {
  const gate = new Gate();
  await using replicas = new Replicas([quickly, () => gate.opened.then(() => 200)]);
  await using pool = await replicas.pool();
  const { outcomes } = await settle(pool, 200, 300);
  assert.ok((outcomes.get("timeout") ?? 0) >= 1);
  assert.equal(pool.inFlight, 0);
  gate.open();
});

Deno.test("Pool gives a draining replica nothing more until its Retry-After is over", async () => {
  let draining = false;
  const drain: Script = () =>
    draining ? new Response(null, { status: 503, headers: { "retry-after": "1" } }) : 200;
  await using replicas = new Replicas([quickly, drain]);
  await using pool = await replicas.pool();
  await settle(pool, 100);
  draining = true;
  const before = replicas.requests(1);
  await settle(pool, 400);
  // At most what it held and one more try: the first refusals shrink its limit, the last rests it.
  assert.ok(
    replicas.requests(1) - before <= 12,
    `${replicas.requests(1) - before} attempts on a draining replica`,
  );
  draining = false;
  await until("its permits again", () => pool.permits > 4);
  const rested = replicas.requests(1);
  await settle(pool, 200);
  assert.ok(replicas.requests(1) > rested);
});

Deno.test("Pool sends a replica that says it drains not one more attempt until its /readyz says yes", async () => {
  const [gate, drained] = [new Gate(), new Gate()];
  let draining = false;
  const drain: Script = async () => {
    if (!draining) return await gate.opened.then(() => 200);
    drained.open();
    const headers = { "content-type": "application/problem+json", "retry-after": "0" };
    return new Response(JSON.stringify({ type: "/problems/draining" }), { status: 503, headers });
  };
  await using replicas = new Replicas([quickly, drain]);
  const [, worker] = replicas.all;
  assert.ok(worker);
  await using pool = await replicas.pool();
  const load = settle(pool, 600, 20_000);
  await until("its permits to be used", () => worker.inFlight === 4);
  draining = true;
  worker.ready = () => 503;
  gate.open();
  await drained.opened;
  await until("the pool to have heard of it", () => pool.replicas.some(({ draining }) => draining));
  const sent = worker.requests.length;
  await load;
  await settle(pool, 300);
  // Those that were on their way to it when it said so first.
  assert.ok(worker.requests.length - sent <= 3, `${worker.requests.length - sent} more attempts`);
  const settled = worker.requests.length;
  await settle(pool, 300);
  assert.equal(worker.requests.length, settled);
  draining = false;
  worker.ready = () => 200;
  await until("its return", () => pool.replicas.every(({ draining }) => !draining));
  await settle(pool, 300);
  assert.ok(worker.requests.length > settled);
});

Deno.test("Pool gives nothing new to a replica whose /readyz says no while the others say yes", async () => {
  await using replicas = new Replicas([quickly, quickly, quickly]);
  const [, worker] = replicas.all;
  assert.ok(worker);
  worker.ready = () => 503;
  await using pool = await replicas.pool();
  await until("its rest", () => pool.replicas.filter(({ draining }) => draining).length === 1);
  assert.equal(pool.permits, 8);
  worker.ready = () => 200;
  await until("its return", () => pool.replicas.every(({ draining }) => !draining));
});

Deno.test("Pool slows down as a whole on 429 and grows back", async () => {
  let limited = true;
  await using replicas = new Replicas([
    () => limited ? new Response(null, { status: 429, headers: { "retry-after": "0" } }) : 200,
    () => limited ? new Response(null, { status: 429, headers: { "retry-after": "0" } }) : 200,
  ]);
  await using pool = await replicas.pool();
  const load = settle(pool, 500);
  await until("fewer permits", () => pool.permits <= 5);
  limited = false;
  await load;
  await until("all its permits again", async () => {
    await settle(pool, 50);
    return pool.permits === 8;
  }, { timeoutMs: 30_000 });
});

Deno.test("Pool follows the look-up: a new address gets work, one that left finishes what it has", async () => {
  const gate = new Gate();
  await using replicas = new Replicas([() => gate.opened.then(() => 200), quickly]);
  replicas.listed = [0];
  await using pool = await replicas.pool();
  const held = Array.from({ length: 3 }, () => pool.send({ ...ATTEMPT, timeoutMs: 20_000 }));
  await until("three requests", () => replicas.requests(0) === 3);
  replicas.listed = [1];
  await until("the other address", () => pool.replicas.some(({ leaving }) => leaving), { timeoutMs: 10_000 });
  await settle(pool, 100);
  assert.equal(replicas.requests(0), 3);
  assert.equal(replicas.requests(1), 100);
  gate.open();
  const kinds = await Promise.all(held.map(async (sending) => (await sending).outcome.kind));
  assert.deepEqual(kinds, ["answer", "answer", "answer"]);
  assert.equal(pool.replicas.length, 1);
});

Deno.test("Pool sends the token to those that ask for one", async () => {
  await using replicas = new Replicas([({ headers }) => headers["authorization"] === "Bearer t" ? 200 : 401]);
  await using pool = await replicas.pool({ token: "t" });
  const { outcome } = await pool.send(ATTEMPT);
  assert.deepEqual(outcome, { kind: "answer", status: 200 });
});

Deno.test("Pool has its permit back when the caller gives an attempt up", async () => {
  const gate = new Gate();
  await using replicas = new Replicas([() => gate.opened.then(() => 200)]);
  await using pool = await replicas.pool();
  const caller = new AbortController();
  const sending = pool.send({ ...ATTEMPT, signal: caller.signal });
  await until("a request", () => replicas.requests(0) === 1);
  assert.equal(pool.inFlight, 1);
  caller.abort();
  await assert.rejects(sending, AttemptAbandoned);
  assert.equal(pool.inFlight, 0);
  gate.open();
});

Deno.test("Pool comes through 5,000 attempts with faults without leaking a socket or a permit", async () => {
  const faulty: Script = async () => {
    const dice = Math.random();
    if (dice < 0.01) await new Promise((resolve) => setTimeout(resolve, 800));
    if (dice < 0.02) return 500;
    if (dice < 0.03) return new Response(null, { status: 503, headers: { "retry-after": "0" } });
    return 200;
  };
  await using replicas = new Replicas([faulty, faulty, faulty, faulty]);
  const before = openSockets();
  {
    await using pool = await replicas.pool({ concurrency: 8 });
    const { posts, overMost } = await settle(pool, 5000, 600);
    assert.ok(posts > 5000);
    assert.ok(overMost <= 0, `over the permits: ${overMost}`);
    assert.equal(pool.inFlight, 0);
    // Both ends of each connection are in this process. undici counts a connection as free only after it has told of
    // the answer's end, so that a quick successor opens another one; those are closed when they have idled.
    assert.ok(openSockets() - before <= 2 * 2 * 8 * 4, `${openSockets() - before} sockets for 32 permits`);
  }
  await until("all sockets closed", () => openSockets() <= before);
});
