// Tests of the exchange of one batch: what each line means, and what a broken one leaves behind.

import assert from "node:assert/strict";
import type { Outcome } from "../../../../../shared/contract/outcome.ts";
import { ruleFor } from "../../../../../shared/contract/status_contract.ts";
import { resolverFrom } from "../../../../../shared/pool/discovery/dns.ts";
import { resolveEndpoints } from "../../../../../shared/pool/discovery/endpoints.ts";
import { startBatch } from "../../../../../shared/pool/exchange/batched.ts";
import type { Answered, AttemptRequest } from "../../../../../shared/pool/exchange/buffered.ts";
import { Connections } from "../../../../../shared/pool/exchange/connections.ts";
import { TimerWheel } from "../../../../../shared/pool/exchange/timer_wheel.ts";
import { freePort } from "../../../../support/ports.ts";
import { until } from "../../../../support/until.ts";
import { problem, type Script, StubWorker } from "../../../../support/workers/stub_worker.ts";

const KEYS = ["a", "b", "c"];
const encode = (text: string) => new TextEncoder().encode(text);
const line = (key: string, status: number, more: Record<string, unknown> = {}) =>
  `${JSON.stringify({ key, status, ...more })}\n`;

interface Sending {
  readonly answers: ReadonlyMap<string, Promise<Answered>>;
  /** Keys that were to be sent alone. */
  readonly alone: string[];
}

/** Sends three records to a URL as one batch and closes everything again. */
async function sendTo<T>(
  url: string,
  use: (sending: Sending) => Promise<T>,
  more: (key: string) => Partial<AttemptRequest> = () => ({}),
): Promise<T> {
  const ports = {
    connections: new Connections(1000),
    timers: new TimerWheel(),
    retryAfterMaxMs: 300_000,
  };
  const failed = () => assert.fail("an address needs no look-up");
  const [endpoint] = await resolveEndpoints([new URL(url)], [], resolverFrom(undefined), failed);
  assert.ok(endpoint);
  const batch = KEYS.map((key) => {
    const { promise, resolve, reject } = Promise.withResolvers<Answered>();
    const attempt = {
      headers: { "idempotency-key": key },
      body: encode("{}"),
      timeoutMs: 5000,
      ...more(key),
    };
    return [key, { attempt, resolve, reject, promise }] as const;
  });
  const alone: string[] = [];
  startBatch(ports, endpoint, new Map(batch), ({ attempt, resolve }) => {
    alone.push(attempt.headers["idempotency-key"] ?? "");
    resolve({ outcome: { kind: "answer", status: 299 }, headers: {} });
  });
  try {
    return await use({ answers: new Map(batch.map(([key, { promise }]) => [key, promise])), alone });
  } finally {
    ports.timers.close();
    await ports.connections.close();
  }
}

async function outcomesOf(script: Script): Promise<readonly Outcome[]> {
  await using worker = new StubWorker(script);
  return await sendTo(worker.url, async ({ answers }) => {
    const answered = await Promise.all(answers.values());
    return answered.map(({ outcome }) => outcome);
  });
}

const kinds = (outcomes: readonly Outcome[]) =>
  outcomes.map((outcome) => outcome.kind === "answer" ? outcome.status : outcome.kind);

Deno.test("a line means what the same single answer means: every row of the contract", async () => {
  const missing = { type: "/problems/ticket-not-found", title: "There is no such ticket" };
  const rows: readonly [number, Record<string, unknown>, string][] = [
    [500, { headers: { "ackpool-action": "settle" } }, "action-settle"],
    [200, { headers: { "ackpool-action": "retry" } }, "action-retry"],
    [200, { headers: { "ackpool-action": "dead-letter" } }, "action-dead-letter"],
    [200, {}, "success"],
    [204, {}, "success"],
    [400, {}, "rejected"],
    [413, {}, "rejected"],
    [415, {}, "rejected"],
    [422, {}, "rejected"],
    [404, { problem: missing }, "ticket-not-found"],
    [404, {}, "misconfigured"],
    [401, {}, "misconfigured"],
    [307, {}, "misconfigured"],
    [409, {}, "held"],
    [425, {}, "held"],
    [429, {}, "rate-limited"],
    [503, { headers: { "Retry-After": "2" } }, "replica-full"],
    [503, {}, "failed"],
    [500, {}, "failed"],
  ];
  for (const [status, more, rule] of rows) {
    const [first] = await outcomesOf(() => new Response(KEYS.map((key) => line(key, status, more)).join("")));
    assert.equal(first && ruleFor(first).name, rule, `${status} ${JSON.stringify(more)}`);
  }
});

Deno.test("a line has its Retry-After, problem and excerpt, and its own headers for the limits", async () => {
  const problem = { type: "/problems/rate-limited", title: "The provider limits the rate" };
  const headers = { "retry-after": "2", "x-ratelimit-remaining-requests": "0" };
  await using worker = new StubWorker(() =>
    new Response(
      line("b", 200) + line("a", 429, { headers, problem }) + line("c", 422, { problem: { detail: "bad" } }),
    )
  );
  await sendTo(worker.url, async ({ answers }) => {
    assert.deepEqual(await answers.get("a"), {
      outcome: {
        kind: "answer",
        status: 429,
        retryAfterMs: 2000,
        problemType: "/problems/rate-limited",
        excerpt: JSON.stringify(problem),
      },
      headers,
    });
    assert.deepEqual((await answers.get("b"))?.outcome, { kind: "answer", status: 200 });
    assert.deepEqual((await answers.get("c"))?.outcome, {
      kind: "answer",
      status: 422,
      excerpt: '{"detail":"bad"}',
    });
  });
});

Deno.test("a whole answer that is not 200 is the outcome of every record", async () => {
  const full = () => problem(503, "/problems/replica-full", { "retry-after": "1" });
  for (
    const [script, expected] of [[full, "replica-full"], [() => 401, "misconfigured"], [
      () => 500,
      "failed",
    ]] as const
  ) {
    const outcomes = await outcomesOf(script);
    assert.deepEqual(outcomes.map((outcome) => ruleFor(outcome).name), Array(3).fill(expected));
  }
});

Deno.test("a whole answer about the batch itself is nobody's outcome: each is sent alone", async () => {
  await using worker = new StubWorker(() => problem(415, "/problems/unsupported-media-type"));
  await sendTo(worker.url, async ({ answers, alone }) => {
    await Promise.all(answers.values());
    assert.deepEqual(alone, KEYS);
  });
});

Deno.test("a stream that ends early is a reset for those without a line", async () => {
  assert.deepEqual(kinds(await outcomesOf(() => new Response(line("b", 200)))), ["reset", 200, "reset"]);
  const cutInALine = () => new Response(line("b", 200) + line("a", 200).slice(0, 15));
  assert.deepEqual(kinds(await outcomesOf(cutInALine)), ["reset", 200, "reset"]);
  const broken = () => {
    let pulls = 0;
    return new Response(
      new ReadableStream({
        pull: (controller) => {
          if (pulls++ === 0) controller.enqueue(encode(line("c", 200)));
          else controller.error("broken");
        },
      }),
    );
  };
  assert.deepEqual(kinds(await outcomesOf(broken)), ["reset", "reset", 200]);
});

Deno.test("the last line needs no end", async () => {
  const script = () => new Response(line("a", 200) + line("b", 200) + line("c", 200).trim());
  assert.deepEqual(kinds(await outcomesOf(script)), [200, 200, 200]);
});

Deno.test("garbage, strange keys, second lines and lines without end harm nobody else", async () => {
  const garbage = `\n{"key":\nnull\n[1]\n${line("nobody", 200)}${line("a", 99)}`;
  const endless = `{"key":"a","status":500,"x":"${"x".repeat(100_000)}"}\n`;
  const script = () =>
    new Response(
      garbage + endless + line("a", 200) + line("a", 500) + line("b", 201) + line("b", 422) + line("c", 202),
    );
  assert.deepEqual(kinds(await outcomesOf(script)), [200, 201, 202]);
});

Deno.test("nobody answering is refused, and nobody's status is a reset", async () => {
  const port = freePort();
  const refused = await sendTo(
    `http://127.0.0.1:${port}`,
    async ({ answers }) => await Promise.all(answers.values()),
  );
  assert.deepEqual(refused.map(({ outcome }) => outcome.kind), ["refused", "refused", "refused"]);
});

Deno.test("each record has its own time limit, and a line that comes too late changes nothing", async () => {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  await using worker = new StubWorker(() => new Response(readable));
  await sendTo(worker.url, async ({ answers }) => {
    void writer.write(encode(line("b", 200)));
    assert.equal((await answers.get("b"))?.outcome.kind, "answer");
    const late = await answers.get("a");
    assert.deepEqual(late?.outcome, {
      kind: "timeout",
      detail: "No answer within 100 ms",
      limit: "first-byte",
    });
    void writer.write(encode(line("a", 200) + line("c", 200)));
    assert.deepEqual(kinds([(await answers.get("c"))?.outcome ?? assert.fail()]), [200]);
    void writer.close();
  }, (key) => key === "a" ? { timeoutMs: 100 } : {});
});

Deno.test("an attempt that is given up leaves the others alone; when all are, the request ends", async () => {
  const gone = Promise.withResolvers<void>();
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  writer.closed.catch(() => gone.resolve());
  await using worker = new StubWorker(() => new Response(readable));
  const given = new Map(KEYS.map((key) => [key, new AbortController()]));
  await sendTo(worker.url, async ({ answers }) => {
    await until("the request", () => worker.requests.length === 1);
    given.get("a")?.abort();
    await assert.rejects(answers.get("a") ?? assert.fail(), { name: "AttemptAbandoned" });
    void writer.write(encode(line("b", 200))).catch(() => {});
    assert.equal((await answers.get("b"))?.outcome.kind, "answer");
    given.get("c")?.abort();
    await assert.rejects(answers.get("c") ?? assert.fail(), { name: "AttemptAbandoned" });
    await gone.promise;
  }, (key) => ({ signal: given.get(key)?.signal ?? assert.fail() }));
});
