// The ingress as a process under everything at once: callers that hang up, workers that are full, cut off or slow.

import assert from "node:assert/strict";
import { startTask } from "../chaos/stage/tasks.ts";
import { freePort } from "../support/ports.ts";
import { until } from "../support/until.ts";

const CALLS = 400;
const AT_ONCE = 40;

/** A worker that does what the call's own number says. */
function moodyWorker() {
  const stopped = new AbortController();
  const answer = async (request: Request): Promise<Response> => {
    if (new URL(request.url).pathname === "/readyz") return new Response();
    const text = await request.text().catch(() => "");
    await new Promise((resolve) => setTimeout(resolve, text.length % 7));
    const mood = Math.random();
    if (mood < 0.1) return new Response(null, { status: 503, headers: { "retry-after": "0" } });
    if (mood < 0.2) return new Response("x".repeat(300_000));
    return Response.json({ length: text.length });
  };
  const { signal } = stopped;
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, signal, onListen: () => {} }, answer);
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    [Symbol.asyncDispose]: async () => {
      stopped.abort();
      await server.finished;
    },
  };
}

/** A worker whose answers break in the middle, but for its health's. */
function breakingWorker() {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const answer = async (connection: Deno.Conn) => {
    const buffer = new Uint8Array(65_536);
    const read = await connection.read(buffer).catch(() => null);
    const healthy = new TextDecoder().decode(buffer.subarray(0, read ?? 0)).startsWith("GET /readyz");
    const text = `HTTP/1.1 200 OK\r\ncontent-length: ${healthy ? 0 : 100}\r\n\r\n${healthy ? "" : "begun"}`;
    await connection.write(new TextEncoder().encode(text)).catch(() => {});
    connection.close();
  };
  const accepting = (async () => {
    for await (const connection of listener) answer(connection);
  })();
  return {
    url: `http://127.0.0.1:${listener.addr.port}`,
    [Symbol.asyncDispose]: async () => {
      listener.close();
      await accepting.catch(() => {});
    },
  };
}

/** Of any size: short ones are read before they are sent, long ones streamed. */
function bodyOf(number: number): BodyInit {
  const chunk = new TextEncoder().encode("x".repeat(1000 + number));
  if (number % 3 === 0) return chunk;
  return ReadableStream.from(Array.from({ length: number % 3 === 1 ? 5 : 200 }, () => chunk));
}

Deno.test("the ingress process holds on to nothing after callers hung up and workers were cut off in every way", async () => {
  await using one = moodyWorker();
  await using two = moodyWorker();
  await using three = breakingWorker();
  const port = freePort();
  await using ingress = startTask("ingress", "ingress", {
    PORT: String(port),
    WORKER_URL: `${one.url},${two.url},${three.url}`,
    WORKER_TIMEOUT_MS: "20000",
  });
  await ingress.waitForLine(({ fields }) => fields["message"] === "listening");
  const url = `http://127.0.0.1:${port}`;
  const outcomes = new Map<string, number>();
  const call = async (number: number) => {
    const caller = new AbortController();
    if (number % 4 === 0) setTimeout(() => caller.abort(), number % 23);
    const options = { method: "POST", body: bodyOf(number), signal: caller.signal };
    const outcome = await fetch(`${url}/classify`, options)
      .then(async (response) => (await response.text(), String(response.status)))
      .catch(() => "cut off");
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  };
  const numbers = Array.from({ length: CALLS }, (_, number) => number).values();
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (const number of numbers) await call(number);
  }));
  await until("nothing to be held", async () => {
    const { waiting, inFlight } = await (await fetch(`${url}/scale`)).json();
    return waiting === 0 && inFlight === 0;
  });
  const unexpected = [...outcomes.keys()].filter((outcome) =>
    !["200", "502", "503", "cut off"].includes(outcome)
  );
  assert.deepEqual(unexpected, [], ingress.failure("answered otherwise").message);
  assert.ok((outcomes.get("200") ?? 0) > CALLS / 2, JSON.stringify([...outcomes]));
  // Each call is in the log once; nothing crashed.
  await until(
    "a line a call",
    () => ingress.lines.filter(({ fields }) => fields["message"] === "call").length >= CALLS * 0.9,
  );
  assert.deepEqual(ingress.lines.filter(({ fields }) => fields["message"] === "crashed"), []);
  // One more goes through as if nothing had been.
  assert.equal(
    (await until("a calm answer", async () => {
      const response = await fetch(`${url}/classify`, { method: "POST", body: "{}" });
      const text = await response.text().catch(() => "");
      return response.status === 200 && text.startsWith("{") && text;
    })).length > 0,
    true,
  );
  assert.equal((await ingress.end("SIGTERM")).code, 0);
});
