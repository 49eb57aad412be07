// Connections that are used again, against workers that close or reset them: over raw TCP on loopback.

import assert from "node:assert/strict";
import { outcomeLabel } from "../../../../../shared/contract/outcome.ts";
import { type Answered, send } from "../../../../../shared/pool/exchange/buffered.ts";
import { Connections } from "../../../../../shared/pool/exchange/connections.ts";
import { streamTo } from "../../../../../shared/pool/exchange/streamed.ts";
import { TimerWheel } from "../../../../../shared/pool/exchange/timer_wheel.ts";
import { Pool } from "../../../../../shared/pool/pool.ts";
import { type RawExchange, RawWorker } from "../../../../support/workers/raw_worker.ts";

const OK = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
const ATTEMPT = { headers: { "idempotency-key": '"t/0/1"' }, body: new Uint8Array(2), timeoutMs: 5000 };

/** Sends to one worker. `await using` closes everything. */
class Caller implements AsyncDisposable {
  readonly ports = { connections: new Connections(1000), timers: new TimerWheel(), retryAfterMaxMs: 1000 };
  readonly endpoint;

  constructor(url: string) {
    this.endpoint = { address: url, origin: url, basePath: "", url: new URL(url), source: url };
  }

  async send(): Promise<Answered["outcome"]> {
    return (await send(this.ports, this.endpoint, ATTEMPT)).outcome;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.ports.timers.close();
    await this.ports.connections.close();
  }
}

const settled = { kind: "answer", status: 200 };

/** Answers the first request of a connection and ends it at the second one, read or unread. */
const onceOnly = ({ number, write, close }: RawExchange) => number === 1 ? write(OK) : close();

Deno.test("Connections sends once more over a fresh connection what a reused one lost, and reuses none there for a while", async () => {
  await using worker = new RawWorker(onceOnly);
  await using caller = new Caller(worker.url);
  for (let each = 0; each < 20; each++) {
    assert.deepEqual(await caller.send(), settled);
    // undici frees a connection in a later turn.
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  // One was lost; from then on each request has a connection of its own.
  assert.deepEqual([worker.requests, worker.connections], [21, 20]);
});

Deno.test("Connections keeps connections where nobody resets them", async () => {
  await using worker = new RawWorker(({ write }) => write(OK));
  await using caller = new Caller(worker.url);
  for (let each = 0; each < 20; each++) {
    assert.deepEqual(await caller.send(), settled);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.equal(worker.connections, 1);
});

Deno.test("Connections tells of the reset of a fresh connection: that is the worker's failure", async () => {
  await using worker = new RawWorker(({ close }) => close());
  await using caller = new Caller(worker.url);
  assert.equal((await caller.send()).kind, "reset");
  assert.equal(worker.requests, 1);
});

Deno.test("Connections tells of a reset after the answer's first byte, and of the second reset in a row", async () => {
  const midway = async ({ number, write, close }: RawExchange) => {
    if (number === 1) return await write(OK);
    await write("HTTP/1.1 2");
    await new Promise((resolve) => setTimeout(resolve, 50));
    close();
  };
  await using first = new RawWorker(midway);
  await using caller = new Caller(first.url);
  await caller.send();
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal((await caller.send()).kind, "reset");
  assert.equal(first.requests, 2);

  let down = false;
  await using second = new RawWorker(({ write, close }) => down ? close() : write(OK));
  await using other = new Caller(second.url);
  await other.send();
  await new Promise((resolve) => setTimeout(resolve, 5));
  down = true;
  assert.equal((await other.send()).kind, "reset");
  assert.equal(second.requests, 3);
});

Deno.test("Connections takes a reset long after the request went out for the worker's failure", async () => {
  await using worker = new RawWorker(async ({ number, write, close }) => {
    if (number === 1) return await write(OK);
    await new Promise((resolve) => setTimeout(resolve, 1200));
    close();
  });
  await using caller = new Caller(worker.url);
  await caller.send();
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal((await caller.send()).kind, "reset");
  assert.equal(worker.requests, 2);
});

Deno.test("Connections repeats streamed requests only where they may come twice", async () => {
  const requests: readonly (readonly [string, Record<string, string>, boolean])[] = [
    ["POST", { "idempotency-key": '"a"' }, true],
    ["GET", {}, true],
    ["POST", {}, false],
  ];
  for (const [method, headers, repeated] of requests) {
    await using worker = new RawWorker(onceOnly);
    await using caller = new Caller(worker.url);
    await caller.send();
    await new Promise((resolve) => setTimeout(resolve, 5));
    const { signal } = new AbortController();
    const request = { method, path: "/", headers, body: null, timeoutMs: 3000, signal };
    const { answer, ended } = streamTo(caller.ports, caller.endpoint, request);
    const { outcome, body } = await answer;
    await body?.cancel();
    await ended;
    assert.equal(outcome.kind, repeated ? "answer" : "reset", `${method} ${JSON.stringify(headers)}`);
  }
});

Deno.test("Pool loses no attempt and ejects nobody where a worker resets every second request of a connection", async () => {
  await using worker = new RawWorker(onceOnly);
  const pool = new Pool({
    urls: [new URL(worker.url)],
    concurrency: 8,
    token: undefined,
    connectTimeoutMs: 1000,
  });
  await pool.start();
  let left = 400;
  const kinds = new Map<string, number>();
  await Promise.all(Array.from({ length: 8 }, async () => {
    while (left-- > 0) {
      const { outcome } = await pool.send(ATTEMPT);
      kinds.set(outcomeLabel(outcome), (kinds.get(outcomeLabel(outcome)) ?? 0) + 1);
      assert.equal(pool.replicas[0]?.ejection, undefined);
    }
  }));
  assert.deepEqual([...kinds], [["200", 400]]);
  await pool.close();
});
