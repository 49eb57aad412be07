// Streamed batches end to end: the machine and the pool against our worker, and against one whose streams go wrong.

import assert from "node:assert/strict";
import { parseConfig } from "../../consumer/config.ts";
import { ConsumerMetrics } from "../../consumer/metrics/consumer_metrics.ts";
import type { KafkaRecord } from "../../consumer/records/record.ts";
import { Runtime } from "../../consumer/runtime.ts";
import { readRecordLine, writeAnswerLine } from "../../shared/contract/batch_lines.ts";
import { Pool } from "../../shared/pool/pool.ts";
import { createIngress } from "../../worker/ingress/app.ts";
import { type SeenRequest, StubWorker } from "../support/workers/stub_worker.ts";
import { answer, workerApp } from "../support/workers/worker_app.ts";
import { until } from "../support/until.ts";

const AT = { topic: "t", partition: 0 };

/** What became of a run. */
interface Run {
  readonly committed: number;
  readonly deadLetters: readonly number[];
}

/** Feeds records to a machine that sends to `url`, until all of them are committed. */
async function deliver(url: string, values: readonly string[], concurrency = 32): Promise<Run> {
  const variables: Record<string, string> = {
    KAFKA_BROKERS: "nowhere:1",
    WORKER_URL: url,
    WORKER_CONCURRENCY: String(concurrency),
    COMMIT_INTERVAL_MS: "10",
    RETRY_BACKOFF_MS: "1",
    RETRY_BACKOFF_MAX_MS: "20",
  };
  const config = parseConfig((name) => variables[name]);
  const pool = new Pool(config.pool);
  await pool.start();
  let committed = 0;
  const deadLetters: number[] = [];
  const runtime = new Runtime(config.machine, 2000, {
    pool,
    source: {
      pause: () => {},
      resume: () => {},
      commit: (marks) => {
        committed = marks.at(-1)?.mark.offset ?? committed;
        return Promise.resolve([]);
      },
    },
    deadLetters: {
      write: ({ record }) => Promise.resolve({ offset: deadLetters.push(record.offset) }),
    },
    metrics: new ConsumerMetrics(),
  });
  runtime.start();
  runtime.feed({ type: "assigned", epoch: 1, partitions: [{ ...AT, offset: 0, metadata: null }] });
  const records = values.map((value, offset) => {
    const record: KafkaRecord = {
      ...AT,
      offset,
      timestampMs: 1000,
      key: null,
      value: new TextEncoder().encode(value),
      headers: {},
    };
    return { offset, timestampMs: 1000, bytes: value.length, key: "", record };
  });
  const end = values.length;
  runtime.feed({ type: "received", epoch: 1, from: AT, position: end, highWatermark: end, records });
  await until("everything to be committed", () => committed === end, { everyMs: 5 });
  runtime.stop();
  assert.equal((await runtime.ended).clean, true);
  await pool.close();
  return { committed, deadLetters };
}

/** Our worker's application behind a socket. */
function served(app: { fetch: (request: Request) => Response | Promise<Response> }) {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => app.fetch(request),
  );
  const { port } = server.addr;
  return { url: `http://127.0.0.1:${port}`, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

Deno.test("our worker labels what comes in batches, dead letters and limits included", async () => {
  const worker = workerApp({ concurrency: 8, complete: () => Promise.resolve(answer('{"category":"bug"}')) });
  const values = Array.from({ length: 200 }, (_, id) => {
    if (id % 50 === 49) return "no JSON";
    worker.tables.tickets.set(String(id), { category: null, classifiedAtMs: null });
    return JSON.stringify({ ticket_id: id, subject: `Ticket ${id}`, body: "It breaks" });
  });
  await using server = served(worker.app);
  const { deadLetters } = await deliver(server.url, values, 16);
  assert.deepEqual(deadLetters.toSorted((a, b) => a - b), [49, 99, 149, 199]);
  const labels = [...worker.tables.tickets.values()].map(({ category }) => category);
  assert.deepEqual([labels.length, new Set(labels)], [196, new Set(["bug"])]);
  const metrics = await (await worker.app.request("/metrics")).text();
  const batches = Number(/requests_total\{route="\/classify\/batch",status="200"\} (\d+)/.exec(metrics)?.[1]);
  const answers = Number(/requests_total\{route="\/classify",status="200"\} (\d+)/.exec(metrics)?.[1]);
  assert.ok(batches > 0 && batches < 100, `${batches} batches`);
  assert.equal(answers, 196);
  assert.equal(worker.permits.inFlight, 0);
});

/** The same numbers in every run. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9 | 0;
    return (state >>> 0) / 2 ** 32;
  };
}

Deno.test("streams that are cut, garbage, late and second lines lose no record and dead-letter none", async () => {
  const random = randomFrom(7);
  const settled = new Set<string>();
  let batches = 0;
  const line = (key: string) => {
    settled.add(key);
    return writeAnswerLine({ key, status: 200, headers: {}, problem: undefined });
  };
  const stream = (keys: readonly string[]) => {
    const fate = random();
    const half = keys.slice(0, keys.length / 2);
    if (fate < 0.2) return [...half.map(line), '{"key":"'];
    if (fate < 0.4) return keys.map((key) => `${"#".repeat(100)}\n${line(key)}${line(key)}${line("nobody")}`);
    if (fate < 0.5) return [];
    return keys.map(line);
  };
  const script = ({ path, text, key }: SeenRequest) => {
    const headers = { "ackpool-batch": "ndjson; max=64" };
    if (path === "/classify") {
      settled.add(`"${key}"`);
      return new Response(null, { headers });
    }
    batches += 1;
    const keys = text.split("\n").flatMap((each) => readRecordLine(each)?.headers["idempotency-key"] ?? []);
    const lines = stream(keys);
    let at = 0;
    return new Response(
      new ReadableStream<Uint8Array>({
        pull: async (controller) => {
          await new Promise((resolve) => setTimeout(resolve, random() * 3));
          const next = lines[at++];
          if (next === undefined) random() < 0.2 ? controller.error("cut") : controller.close();
          else controller.enqueue(new TextEncoder().encode(next));
        },
      }, { highWaterMark: 0 }),
    );
  };
  await using worker = new StubWorker(script);
  const { deadLetters } = await deliver(worker.url, Array.from({ length: 300 }, (_, n) => `{"n":${n}}`));
  assert.deepEqual(deadLetters, []);
  for (let offset = 0; offset < 300; offset++) assert.ok(settled.has(`"t/0/${offset}"`), `offset ${offset}`);
  assert.ok(batches > 3, `${batches} batches`);
});

Deno.test("the ingress lets no streamed batch through, and says nothing of batches", async () => {
  await using worker = new StubWorker(() => new Response(null, { headers: { "ackpool-batch": "ndjson" } }));
  const pool = new Pool({
    urls: [new URL(worker.url)],
    concurrency: 2,
    token: undefined,
    connectTimeoutMs: 500,
  });
  await pool.start();
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
  });
  const send = async (path: string, contentType: string) =>
    await app.request(path, { method: "POST", headers: { "content-type": contentType }, body: "{}" });
  for (const path of ["/classify/batch", "/classify/batch?x", "/other"]) {
    const refused = await send(path, "Application/X-NDJSON ; charset=utf-8");
    assert.equal(refused.status, 415);
  }
  assert.equal(worker.requests.length, 0);
  const passed = await send("/classify", "application/json");
  assert.deepEqual([passed.status, passed.headers.get("ackpool-batch")], [200, null]);
  await passed.body?.cancel();
  await pool.close();
});
