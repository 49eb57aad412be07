import assert from "node:assert/strict";
import type { Outcome } from "../../../../../shared/contract/outcome.ts";
import {
  AttemptAbandoned,
  type AttemptRequest,
  createAgent,
  send,
} from "../../../../../shared/pool/exchange/buffered.ts";
import { TimerWheel } from "../../../../../shared/pool/exchange/timer_wheel.ts";
import { resolverFrom } from "../../../../../shared/pool/discovery/dns.ts";
import { resolveEndpoints } from "../../../../../shared/pool/discovery/endpoints.ts";
import { freePort } from "../../../../support/ports.ts";
import { Gate, problem, type Script, StubWorker } from "../../../../support/workers/stub_worker.ts";

const ATTEMPT: AttemptRequest = {
  headers: { "content-type": "application/json" },
  body: new TextEncoder().encode("{}"),
  timeoutMs: 5000,
};

/** Sends to a URL and closes everything again. */
async function sendTo(url: string, attempt: Partial<AttemptRequest> = {}, connectTimeoutMs = 1000) {
  const agent = createAgent(connectTimeoutMs);
  const timers = new TimerWheel();
  const failed = () => assert.fail("an address needs no look-up");
  const [endpoint] = await resolveEndpoints([new URL(url)], [], resolverFrom(undefined), failed);
  assert.ok(endpoint);
  try {
    return await send(agent, endpoint, { ...ATTEMPT, ...attempt }, timers);
  } finally {
    timers.close();
    await agent.destroy();
  }
}

async function outcomeOf(script: Script, attempt: Partial<AttemptRequest> = {}): Promise<Outcome> {
  await using worker = new StubWorker(script);
  return (await sendTo(worker.url, attempt)).outcome;
}

Deno.test("send() posts the body byte for byte to /classify under the base URL, with the Host of the URL", async () => {
  await using worker = new StubWorker();
  const body = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  await sendTo(`${worker.url}/base/`, {
    body,
    headers: { "content-type": "text/x", "ackpool-attempt": "3" },
  });
  const [seen] = worker.requests;
  assert.deepEqual([seen?.method, seen?.path], ["POST", "/base/classify"]);
  assert.deepEqual(seen?.body, body);
  assert.equal(seen?.headers["content-type"], "text/x");
  assert.equal(seen?.headers["ackpool-attempt"], "3");
  assert.equal(seen?.headers["host"], `127.0.0.1:${worker.port}`);
});

Deno.test("send() takes a success for one and lets its body go unread", async () => {
  await using worker = new StubWorker(() => Response.json({ category: "billing" }));
  const { outcome, body } = await sendTo(worker.url);
  assert.deepEqual(outcome, { kind: "answer", status: 200 });
  assert.equal(body.length, 0);
});

Deno.test("send() gives the whole answer to a caller who passes it on", async () => {
  const answer = { category: "billing", text: "ü".repeat(100_000) };
  await using worker = new StubWorker(() => Response.json(answer, { headers: { "x-mine": "1" } }));
  const { headers, body } = await sendTo(worker.url, { whole: true });
  assert.deepEqual(JSON.parse(new TextDecoder().decode(body)), answer);
  assert.equal(headers["x-mine"], "1");
});

Deno.test("send() reads a refusal's problem type, Retry-After and the first 1 KiB", async () => {
  const refusal = { type: "/problems/ticket-not-found", detail: "x".repeat(3000) };
  const outcome = await outcomeOf(() =>
    Response.json(refusal, { status: 404, headers: { "retry-after": "7" } })
  );
  assert.ok(outcome.kind === "answer");
  assert.equal(outcome.status, 404);
  assert.equal(outcome.problemType, "/problems/ticket-not-found");
  assert.equal(outcome.retryAfterMs, 7000);
  assert.equal(outcome.excerpt, JSON.stringify(refusal).slice(0, 1024));
});

Deno.test("send() survives refusals that are not JSON, not UTF-8 or larger than it reads", async () => {
  const bodies = ["<html>", new Uint8Array([0xff, 0xfe]), "x".repeat(5_000_000), JSON.stringify([1]), "null"];
  for (const body of bodies) {
    const outcome = await outcomeOf(() => new Response(body, { status: 500 }));
    assert.ok(outcome.kind === "answer" && outcome.status === 500 && outcome.problemType === undefined);
    assert.ok((outcome.excerpt ?? "").length <= 1024);
  }
});

Deno.test("send() reads Ackpool-Action and passes over words it does not know", async () => {
  const acting = (action: string) => () =>
    new Response(null, { status: 200, headers: { "ackpool-action": action } });
  const actionOf = async (action: string) => {
    const outcome = await outcomeOf(acting(action));
    return outcome.kind === "answer" ? outcome.action : undefined;
  };
  assert.equal(await actionOf(" Dead-Letter "), "dead-letter");
  assert.equal(await actionOf("explode"), undefined);
});

Deno.test("send() does not follow a redirect", async () => {
  await using worker = new StubWorker(() =>
    new Response(null, { status: 307, headers: { location: "/other" } })
  );
  const { outcome } = await sendTo(worker.url);
  assert.ok(outcome.kind === "answer" && outcome.status === 307);
  assert.equal(worker.requests.length, 1);
});

Deno.test("send() ends by the whole attempt's time limit, before and within the answer", async () => {
  const gate = new Gate();
  const drip = new ReadableStream({
    start: (controller) => controller.enqueue(new TextEncoder().encode("{")),
  });
  const scripts: readonly Script[] = [() => gate.opened.then(() => 200), () => new Response(drip)];
  for (const script of scripts) {
    const startedMs = performance.now();
    assert.equal((await outcomeOf(script, { timeoutMs: 300 })).kind, "timeout");
    const tookMs = performance.now() - startedMs;
    // Never early; late by a tick of the wheel, and by what a busy machine adds.
    assert.ok(tookMs >= 299 && tookMs < 1500, `took ${tookMs} ms`);
  }
  gate.open();
});

Deno.test("send() names the limit an attempt ran into: first byte, or all of the answer", async () => {
  const gate = new Gate();
  const drip = () =>
    new Response(
      new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode("{")) }),
    );
  const silent = await outcomeOf(() => gate.opened.then(() => 200), { firstByteMs: 200 });
  assert.deepEqual(silent, { kind: "timeout", detail: "No answer within 200 ms", limit: "first-byte" });
  const slow = await outcomeOf(drip, { firstByteMs: 200, timeoutMs: 500 });
  assert.deepEqual(slow, { kind: "timeout", detail: "No end of the answer within 500 ms", limit: "whole" });
  const quick = await outcomeOf(() => 200, { firstByteMs: 4000 });
  assert.deepEqual(quick, { kind: "answer", status: 200 });
  gate.open();
});

Deno.test("send() says refused where there is no connection in time: it reached nobody", async () => {
  // A network that is set aside for documentation (RFC 5737): nobody answers there, where it can be reached at all.
  const { outcome } = await sendTo("http://192.0.2.1:9", { timeoutMs: 300 });
  assert.equal(outcome.kind, "refused");
});

Deno.test("send() tells the worker the time that is left", async () => {
  await using worker = new StubWorker();
  await sendTo(worker.url, { timeoutMs: 1234, headers: { "ackpool-deadline": "60000" } });
  assert.equal(worker.requests[0]?.headers["ackpool-deadline"], "1234");
});

Deno.test("send() says refused where nothing listens", async () => {
  const { outcome } = await sendTo(`http://127.0.0.1:${freePort()}`);
  assert.deepEqual(outcome, { kind: "refused", detail: "ECONNREFUSED" });
});

Deno.test("send() says reset where the connection ends without an answer", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepting = listener.accept().then(async (connection) => {
    await connection.read(new Uint8Array(1024));
    connection.close();
  });
  const { outcome } = await sendTo(`http://127.0.0.1:${listener.addr.port}`);
  await accepting;
  assert.equal(outcome.kind, "reset");
});

Deno.test("send() says reset where the answer is no HTTP", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepting = listener.accept().then(async (connection) => {
    await connection.write(new TextEncoder().encode("SSH-2.0-OpenSSH\r\n"));
    connection.close();
  });
  const { outcome } = await sendTo(`http://127.0.0.1:${listener.addr.port}`);
  await accepting;
  assert.equal(outcome.kind, "reset");
});

Deno.test("send() is abandoned by its signal, and the worker sees the caller go", async () => {
  const [arrived, gone] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    request.signal.addEventListener("abort", () => gone.resolve());
    arrived.resolve();
    await gone.promise;
    return new Response();
  });
  const caller = new AbortController();
  const sending = sendTo(`http://127.0.0.1:${server.addr.port}`, { signal: caller.signal });
  await arrived.promise;
  caller.abort();
  await assert.rejects(sending, AttemptAbandoned);
  await gone.promise;
});

Deno.test("send() with a signal that fired before never reaches the worker", async () => {
  await using worker = new StubWorker();
  await assert.rejects(sendTo(worker.url, { signal: AbortSignal.abort() }), AttemptAbandoned);
  assert.equal(worker.requests.length, 0);
});

Deno.test("send() answers what a tombstone asks: an empty body with content-length 0", async () => {
  await using worker = new StubWorker(() => problem(422, "/problems/empty"));
  await sendTo(worker.url, { body: null });
  assert.equal(worker.requests[0]?.body.length, 0);
  assert.equal(worker.requests[0]?.headers["content-length"], "0");
});
