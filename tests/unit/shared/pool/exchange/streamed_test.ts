// Streamed exchanges: nothing held back, nothing held on to, and what each of them says about the replica.

import assert from "node:assert/strict";
import { AttemptAbandoned } from "../../../../../shared/pool/exchange/buffered.ts";
import { Pool } from "../../../../../shared/pool/pool.ts";
import { discard, type StreamedRequest } from "../../../../../shared/pool/exchange/streamed.ts";
import { Gate } from "../../../../support/workers/stub_worker.ts";
import { until } from "../../../../support/until.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

const request = (more: Partial<StreamedRequest> = {}): StreamedRequest => ({
  method: "POST",
  path: "/classify",
  headers: {},
  body: bytes("{}"),
  timeoutMs: 20_000,
  signal: new AbortController().signal,
  ...more,
});

/** A pool in front of one worker that answers with `handle`, for as long as `use` runs. */
async function pooled(
  handle: (request: Request) => Response | Promise<Response>,
  use: (pool: Pool) => Promise<void>,
): Promise<void> {
  await using worker = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, handle);
  const pool = new Pool({
    urls: [new URL(`http://127.0.0.1:${worker.addr.port}`)],
    concurrency: 4,
    token: undefined,
    connectTimeoutMs: 2000,
  });
  await pool.start();
  try {
    await use(pool);
  } finally {
    await pool.close();
  }
}

Deno.test("Pool.stream() passes every chunk of an answer on as it comes", async () => {
  const answered = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>();
  await pooled(() => new Response(answered.readable), async (pool) => {
    const writer = answered.writable.getWriter();
    writer.write(bytes("one"));
    const answer = await pool.stream(request());
    const seen: string[] = [];
    for await (const chunk of answer.body ?? []) {
      seen.push(new TextDecoder().decode(chunk));
      // The next one leaves only when this one has arrived.
      if (seen.length === 1) writer.write(bytes("two")).then(() => writer.close());
    }
    assert.deepEqual(seen, ["one", "two"]);
  });
});

Deno.test("Pool.stream() holds the permit until the answer's last byte has come, or it is cancelled", async () => {
  await pooled(() => new Response("x".repeat(10_000_000)), async (pool) => {
    const answer = await pool.stream(request());
    assert.equal(pool.inFlight, 1);
    await new Response(answer.body as ReadableStream<Uint8Array<ArrayBuffer>>).text();
    await answer.ended;
    assert.equal(pool.inFlight, 0);
    const other = await pool.stream(request());
    await other.body?.cancel();
    await other.ended;
    assert.equal(pool.inFlight, 0);
  });
});

Deno.test("Pool.stream() does not read an answer faster than its reader does", async () => {
  let sent = 0;
  const chunk = new Uint8Array(65_536);
  const endless = () =>
    new ReadableStream({
      pull: (stream) => {
        sent += chunk.length;
        stream.enqueue(chunk);
      },
    });
  await pooled(() => new Response(endless()), async (pool) => {
    const answer = await pool.stream(request());
    const reader = answer.body?.getReader();
    await reader?.read();
    let last = -1;
    // Buffers of both kernels fill up, then nothing moves.
    await until("it to stand still", () => {
      const still = sent === last;
      last = sent;
      return still;
    }, { everyMs: 300 });
    assert.ok(sent < 32_000_000, `${sent} bytes were sent`);
    await reader?.cancel();
    await answer.ended;
  });
});

Deno.test("Pool.stream() gives up what its caller gives up, and the worker notices", async () => {
  const [arrived, gone] = [new Gate(), new Gate()];
  const held = (request: Request) => {
    request.signal.addEventListener("abort", () => gone.open());
    arrived.open();
    return gone.opened.then(() => new Response());
  };
  await pooled(held, async (pool) => {
    const caller = new AbortController();
    const sending = pool.stream(request({ signal: caller.signal }));
    await arrived.opened;
    caller.abort();
    await assert.rejects(sending, AttemptAbandoned);
    await gone.opened;
    await until("the permit", () => pool.inFlight === 0);
  });
});

Deno.test("Pool.stream() lets no caller's mistakes eject a replica, and a worker's failures do", async () => {
  let status = 404;
  await pooled(() => new Response("no", { status }), async (pool) => {
    const call = async () => {
      const answer = await pool.stream(request());
      await discard(answer);
      await answer.ended;
    };
    for (status of [400, 401, 403, 404, 405, 409, 422]) for (let times = 0; times < 4; times++) await call();
    assert.equal(pool.replicas[0]?.ejected, false);
    assert.equal(pool.permits, 4);
    status = 429;
    await call();
    assert.ok(pool.permits < 4);
  });
});

Deno.test("Pool.stream() learns from an answer's headers that the provider's rate is used up", async () => {
  const headers = {
    "x-ratelimit-limit-requests": "60",
    "x-ratelimit-remaining-requests": "0",
    "x-ratelimit-reset-requests": "1h",
  };
  await pooled(() => Response.json({}, { headers }), async (pool) => {
    assert.ok(pool.hasFree());
    const answer = await pool.stream(request());
    await discard(answer);
    await answer.ended;
    assert.equal(pool.hasFree(), false);
  });
});

Deno.test("Pool.stream() says timeout when the answer has not ended in time, and its reader is told", async () => {
  const gate = new Gate();
  const slow = () =>
    new Response(
      new ReadableStream({
        start: async (stream) => {
          stream.enqueue(bytes("begun"));
          await gate.opened;
          stream.close();
        },
      }),
    );
  await pooled(slow, async (pool) => {
    const answer = await pool.stream(request({ timeoutMs: 500 }));
    assert.equal(answer.outcome.kind, "answer");
    await assert.rejects(
      new Response(answer.body as ReadableStream<Uint8Array<ArrayBuffer>>).text(),
      /500 ms/,
    );
    await answer.ended;
    gate.open();
  });
});
