import assert from "node:assert/strict";
import type { Outcome } from "../../../../../shared/contract/outcome.ts";
import { AttemptAbandoned, type AttemptRequest, send } from "../../../../../shared/pool/exchange/buffered.ts";
import { Connections } from "../../../../../shared/pool/exchange/connections.ts";
import { TimerWheel } from "../../../../../shared/pool/exchange/timer_wheel.ts";
import { resolverFrom } from "../../../../../shared/pool/discovery/dns.ts";
import { resolveEndpoints } from "../../../../../shared/pool/discovery/endpoints.ts";
import { freePort } from "../../../../support/ports.ts";
import { type RawExchange, RawWorker } from "../../../../support/workers/raw_worker.ts";
import { Gate, problem, type Script, StubWorker } from "../../../../support/workers/stub_worker.ts";

const ATTEMPT: AttemptRequest = {
  headers: { "content-type": "application/json" },
  body: new TextEncoder().encode("{}"),
  timeoutMs: 5000,
};

/** Sends to a URL and closes everything again. */
async function sendTo(url: string, attempt: Partial<AttemptRequest> = {}, connectTimeoutMs = 1000) {
  const ports = {
    connections: new Connections(connectTimeoutMs),
    timers: new TimerWheel(),
    retryAfterMaxMs: 300_000,
  };
  const failed = () => assert.fail("an address needs no look-up");
  const [endpoint] = await resolveEndpoints([new URL(url)], [], resolverFrom(undefined), failed);
  assert.ok(endpoint);
  try {
    return await send(ports, endpoint, { ...ATTEMPT, ...attempt });
  } finally {
    ports.timers.close();
    await ports.connections.close();
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
  assert.deepEqual((await sendTo(worker.url)).outcome, { kind: "answer", status: 200 });
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

Deno.test("send() ends by its time limits while no status has come", async () => {
  const gate = new Gate();
  const silent: Script = () => gate.opened.then(() => 200);
  const startedMs = performance.now();
  const late = await outcomeOf(silent, { timeoutMs: 300 });
  assert.deepEqual(late, { kind: "timeout", detail: "No answer within 300 ms", limit: "first-byte" });
  // Never early; how late it may be is the wheel's tick and the machine's affair.
  assert.ok(performance.now() - startedMs >= 299);
  const sooner = await outcomeOf(silent, { firstByteMs: 200 });
  assert.deepEqual(sooner, { kind: "timeout", detail: "No answer within 200 ms", limit: "first-byte" });
  assert.deepEqual(await outcomeOf(() => 200, { firstByteMs: 4000 }), { kind: "answer", status: 200 });
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

const PROBLEM = JSON.stringify({ type: "/problems/ticket-not-found", title: "No such ticket" });
const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;
const head = (status: number, ...fields: readonly string[]) =>
  `HTTP/1.1 ${status} X\r\n${fields.map((field) => `${field}\r\n`).join("")}\r\n`;
const endless = async ({ write }: RawExchange, status: number, piece: string) => {
  if (!await write(head(status, "transfer-encoding: chunked"))) return;
  while (await write(chunk(piece)));
};

/** What an answer's body or headers may be like, whatever its status. */
const SICK_ANSWERS: Readonly<Record<string, (exchange: RawExchange, status: number) => unknown>> = {
  "that never ends": ({ write }, status) =>
    write(head(status, "content-length: 500", "retry-after: 7.5") + PROBLEM),
  "that drips on for ever": async ({ write, gone }, status) => {
    let there = await write(head(status, "transfer-encoding: chunked", "retry-after: 7.5") + chunk(PROBLEM));
    gone.then(() => there = false);
    while (there && await write(chunk(" "))) await new Promise((resolve) => setTimeout(resolve, 20));
  },
  "that is cut off": async ({ write, close }, status) => {
    await write(head(status, "content-length: 500", "retry-after: 7.5") + PROBLEM);
    close();
  },
  "with broken chunks": ({ write }, status) =>
    write(head(status, "transfer-encoding: chunked", "retry-after: 7.5") + chunk(PROBLEM) + "zz\r\n"),
  "with 20 KB of headers": ({ write }, status) =>
    write(
      head(status, `x-big: ${"x".repeat(20_000)}`, `content-length: ${PROBLEM.length}`, "retry-after: 7.5") +
        PROBLEM,
    ),
  "with 200 headers of 1 KB": ({ write }, status) => {
    const many = Array.from({ length: 200 }, (_, index) => `x-${index}: ${"x".repeat(1000)}`);
    return write(head(status, ...many, `content-length: ${PROBLEM.length}`, "retry-after: 7.5") + PROBLEM);
  },
  "with a length and chunks": ({ write }, status) =>
    write(
      head(status, "content-length: 3", "transfer-encoding: chunked", "retry-after: 7.5") + chunk(PROBLEM) +
        "0\r\n\r\n",
    ),
  "with chunks and a length": ({ write }, status) =>
    write(
      head(status, "retry-after: 7.5", "transfer-encoding: chunked", "content-length: 30000") +
        chunk(PROBLEM) + "0\r\n\r\n",
    ),
  "after interim ones": ({ write }, status) =>
    write(
      head(100) + head(103, "link: <a>; rel=preload") +
        head(status, `content-length: ${PROBLEM.length}`, "retry-after: 7.5") + PROBLEM,
    ),
  "with bare line feeds": ({ write }, status) =>
    write(
      (head(status, `content-length: ${PROBLEM.length}`, "retry-after: 7.5") + PROBLEM).replaceAll(
        "\r\n",
        "\n",
      ),
    ),
  "with more than its length": ({ write }, status) =>
    write(head(status, `content-length: ${PROBLEM.length}`, "retry-after: 7.5") + PROBLEM + PROBLEM),
  "that is 100 MB": async ({ write }, status) => {
    const piece = " ".repeat(65_536);
    if (!await write(head(status, `content-length: ${100 * 1024 * 1024}`, "retry-after: 7.5") + PROBLEM)) {
      return;
    }
    for (let each = 0; each < 1600 && await write(piece); each++);
  },
};

for (const [name, answer] of Object.entries(SICK_ANSWERS)) {
  Deno.test(`send() goes by the status of an answer ${name}`, async () => {
    for (const status of [200, 202, 404, 503]) {
      await using worker = new RawWorker((exchange) => answer(exchange, status));
      // Only where the end of a refusal's body does not come is this limit waited for.
      const { outcome } = await sendTo(worker.url, { timeoutMs: 1500 });
      assert.ok(outcome.kind === "answer", JSON.stringify(outcome));
      assert.deepEqual([outcome.status, outcome.retryAfterMs], [status, 7500]);
      if (status < 300) continue;
      assert.equal(outcome.problemType, "/problems/ticket-not-found", `type of ${status}`);
      assert.ok(outcome.excerpt?.startsWith(PROBLEM));
    }
  });
}

Deno.test("send() goes by the status also where the headers cannot be read to their end", async () => {
  for (
    const field of ["content-length: 1\r\ncontent-length: 2", "bad header\u0001: 1", "content-length: x"]
  ) {
    for (const status of [200, 422]) {
      await using worker = new RawWorker(({ write }) => write(head(status, field) + "x"));
      const { outcome } = await sendTo(worker.url, { timeoutMs: 3000 });
      assert.deepEqual(outcome.kind === "answer" && outcome.status, status, field);
    }
  }
});

Deno.test("send() reads of a body what a dead letter quotes, then closes the connection", async () => {
  for (const status of [200, 500]) {
    const [sent, ended] = [{ bytes: 0 }, Promise.withResolvers<void>()];
    await using worker = new RawWorker(async (exchange) => {
      const write = async (text: string | Uint8Array) => {
        const there = await exchange.write(text);
        sent.bytes += there ? text.length : 0;
        return there;
      };
      await endless({ ...exchange, write }, status, "x".repeat(10_000));
      ended.resolve();
    });
    const connections = new Connections(1000);
    const ports = { connections, timers: new TimerWheel(), retryAfterMaxMs: 1000 };
    const [endpoint] = await resolveEndpoints([new URL(worker.url)], [], resolverFrom(undefined), () => {});
    assert.ok(endpoint);
    const { outcome } = await send(ports, endpoint, ATTEMPT);
    assert.equal(outcome.kind === "answer" && outcome.status, status);
    // The caller goes; what is in the sockets' buffers may have been written before.
    await ended.promise;
    assert.ok(sent.bytes < 20_000_000, `${sent.bytes} bytes`);
    ports.timers.close();
    await connections.close();
  }
});

Deno.test("send() finds a problem's type before the end of a long body, and no other value's type", async () => {
  const long = "x".repeat(9000);
  const types: readonly (readonly [unknown, string | undefined])[] = [
    [{ type: "/problems/draining", detail: long }, "/problems/draining"],
    [{ errors: [{ type: "a" }, "{"], "type": 'b"c', detail: long }, 'b"c'],
    [{ detail: '"type": "no"', more: { type: "no" }, long }, undefined],
    [[{ type: "no" }, long], undefined],
  ];
  for (const [body, type] of types) {
    const text = JSON.stringify(body);
    await using worker = new RawWorker(async ({ write }) => {
      await write(head(404, `content-length: ${text.length}`) + text.slice(0, 5000));
      await write(text.slice(5000, 6000));
    });
    const { outcome } = await sendTo(worker.url);
    assert.equal(outcome.kind === "answer" ? outcome.problemType : "none", type);
  }
});
