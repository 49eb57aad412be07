// Tests of streamed batches: every line is answered as a request of its own would be.

import assert from "node:assert/strict";
import {
  type AnswerLine,
  type BatchRecord,
  readAnswerLine,
  writeRecordLine,
} from "../../../../shared/contract/batch_lines.ts";
import { accessTokens } from "../../../../shared/http/bearer_token.ts";
import {
  answer,
  type WorkerApp,
  workerApp,
  type WorkerAppOptions,
} from "../../../support/workers/worker_app.ts";

const TICKET = { subject: "Invoice", body: "I was charged twice" };

function record(offset: number, value: unknown, headers: Record<string, string> = {}): BatchRecord {
  const body = value === null
    ? null
    : value instanceof Uint8Array
    ? value
    : new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));
  const own = { "idempotency-key": `"t/0/${offset}"`, "ackpool-timestamp": "1000", "ackpool-attempt": "1" };
  return { headers: { ...own, "content-type": "application/json", ...headers }, body };
}

async function post(
  { app }: WorkerApp,
  body: BodyInit,
  headers: Record<string, string> = {},
): Promise<Response> {
  return await app.request("/classify/batch", {
    method: "POST",
    headers: { "content-type": "application/x-ndjson", ...headers },
    body,
  });
}

async function linesOf(response: Response): Promise<ReadonlyMap<string, AnswerLine>> {
  const lines = (await response.text()).trim().split("\n");
  return new Map(lines.flatMap((text) => {
    const line = readAnswerLine(text);
    return line === undefined ? [] : [[line.key, line]];
  }));
}

function withTickets(ids: readonly number[], options: WorkerAppOptions = {}): WorkerApp {
  const worker = workerApp(options);
  for (const id of ids) worker.tables.tickets.set(String(id), { category: null, classifiedAtMs: null });
  return worker;
}

Deno.test("POST /classify/batch as NDJSON answers each line as POST /classify answers the same record", async () => {
  const records = [
    record(1, { ...TICKET, ticket_id: 1 }),
    record(2, { ...TICKET, ticket_id: 99 }),
    record(3, "{"),
    record(4, { subject: 7 }),
    record(5, TICKET),
    record(6, null, { "ackpool-tombstone": "true" }),
    record(7, Uint8Array.of(0xff, 0xfe)),
    record(8, { ...TICKET, ticket_id: 1, body: "x".repeat(1000) }),
    record(9, { ...TICKET, ticket_id: 1 }, { "content-type": "text/plain" }),
    { ...record(10, TICKET), headers: { "idempotency-key": '"t/9999999999/1"' } },
  ];
  const batched = withTickets([1]);
  const response = await post(batched, records.map(writeRecordLine).join(""));
  assert.deepEqual([response.status, response.headers.get("content-type")], [200, "application/x-ndjson"]);
  const lines = await linesOf(response);
  assert.equal(lines.size, records.length);
  const single = withTickets([1]);
  for (const { headers, body } of records) {
    const alone = await single.app.request("/classify", {
      method: "POST",
      headers,
      body: body && body.slice(),
    });
    const line = lines.get(headers["idempotency-key"] ?? "");
    assert.equal(line?.status, alone.status, JSON.stringify(headers));
    const problem = alone.status < 300 ? undefined : await alone.json();
    assert.deepEqual((line?.problem as { type?: string } | undefined)?.type, problem?.type);
  }
  assert.deepEqual([...lines.values()].map(({ status }) => status).sort(), [
    200,
    204,
    400,
    400,
    400,
    404,
    413,
    415,
    422,
    422,
  ]);
  assert.equal(batched.tables.tickets.get("1")?.category, "billing");
  assert.equal(batched.permits.inFlight, 0);
});

Deno.test("POST /classify/batch as NDJSON answers each line the moment it is known, whatever the slowest does", async () => {
  const slow = Promise.withResolvers<void>();
  const worker = withTickets([1, 2], {
    complete: async ({ user }) => {
      if (user.includes("slow")) await slow.promise;
      return answer('{"category":"billing"}');
    },
  });
  const records = [
    record(1, { ...TICKET, ticket_id: 1, body: "slow" }),
    record(2, { ...TICKET, ticket_id: 2 }),
  ];
  const response = await post(worker, records.map(writeRecordLine).join(""));
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  assert.match(
    (await reader?.read())?.value ?? "",
    /^\{"key":"\\"t\/0\/2\\"","status":200,"headers":\{"ackpool-label":"billing",.*\}\}\n$/,
  );
  slow.resolve();
  assert.match(
    (await reader?.read())?.value ?? "",
    /^\{"key":"\\"t\/0\/1\\"","status":200,"headers":\{"ackpool-label":"billing",.*\}\}\n$/,
  );
  assert.equal((await reader?.read())?.done, true);
});

Deno.test("POST /classify/batch as NDJSON counts each line against WORKER_CONCURRENCY and in the metrics", async () => {
  const gate = Promise.withResolvers<void>();
  const worker = withTickets([1, 2, 3, 4], {
    concurrency: 2,
    complete: async () => {
      await gate.promise;
      return answer('{"category":"billing"}');
    },
  });
  const records = [1, 2, 3, 4].map((id) => record(id, { ...TICKET, ticket_id: id }));
  const response = await post(worker, records.map(writeRecordLine).join(""));
  const reading = linesOf(response);
  while (worker.permits.inFlight < 2) await new Promise((resolve) => setTimeout(resolve, 1));
  gate.resolve();
  const lines = [...(await reading).values()];
  assert.deepEqual(lines.map(({ status }) => status).sort(), [200, 200, 503, 503]);
  for (const line of lines) assert.equal(line.headers["retry-after"], line.status === 503 ? "1" : undefined);
  const metrics = await (await worker.app.request("/metrics")).text();
  assert.match(metrics, /requests_total\{route="\/classify",status="503"\} 2$/m);
  assert.match(metrics, /requests_total\{route="\/classify",status="200"\} 2$/m);
});

Deno.test("POST /classify/batch as NDJSON believes what a line says of its record only from deliveries", async () => {
  const tokens = accessTokens("sesame", [{ token: "people", scopes: ["classify"] }]);
  const worker = withTickets([1], { tokens });
  const body = writeRecordLine(record(1, null, { "ackpool-tombstone": "true" }));
  const send = async (token: string) => await post(worker, body, { authorization: `Bearer ${token}` });
  assert.equal((await send("wrong")).status, 401);
  const statuses = async (token: string) =>
    [...(await linesOf(await send(token))).values()].map(({ status }) => status);
  assert.deepEqual(await statuses("sesame"), [204]);
  assert.deepEqual(await statuses("people"), [400]);
});

Deno.test("POST /classify/batch as NDJSON passes over lines without a key, and stops after 64", async () => {
  const worker = workerApp();
  const tombstones = Array.from({ length: 70 }, (_, at) => record(at, null, { "ackpool-tombstone": "true" }));
  const odd = '{"value":"x"}\n\nnonsense\n[]\n';
  const lines = await linesOf(await post(worker, odd + tombstones.map(writeRecordLine).join("")));
  assert.equal(lines.size, 64 - 3);
  assert.equal((await post(worker, "")).status, 200);
});

Deno.test("POST /classify and GET /readyz say that the worker takes batches", async () => {
  const { app, classify } = workerApp();
  assert.equal((await classify(TICKET)).headers.get("ackpool-batch"), "ndjson; max=64");
  assert.equal((await classify({})).headers.get("ackpool-batch"), "ndjson; max=64");
  assert.equal((await app.request("/readyz")).headers.get("ackpool-batch"), "ndjson; max=64");
});
