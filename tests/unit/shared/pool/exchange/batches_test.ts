// Tests of what leaves as a batch and what leaves alone.

import assert from "node:assert/strict";
import { readRecordLine, writeAnswerLine } from "../../../../../shared/contract/batch_lines.ts";
import type { Answered, AttemptRequest } from "../../../../../shared/pool/exchange/buffered.ts";
import { Pool } from "../../../../../shared/pool/pool.ts";
import { type Script, type SeenRequest, StubWorker } from "../../../../support/workers/stub_worker.ts";

const OFFER = { "ackpool-batch": "ndjson; max=64" };

function attempt(offset: number, more: Partial<AttemptRequest> = {}): AttemptRequest {
  const headers = {
    "content-type": "application/json",
    "idempotency-key": `"t/0/${offset}"`,
    "ackpool-attempt": "1",
  };
  return { headers, body: new TextEncoder().encode(`{"n":${offset}}`), timeoutMs: 5000, ...more };
}

const ok = () => new Response(null, { headers: OFFER });
const isBatch = ({ path }: SeenRequest) => path === "/classify/batch";
const keysOf = ({ text }: SeenRequest) =>
  text.split("\n").flatMap((line) => readRecordLine(line)?.headers["idempotency-key"] ?? []);
/** Every line with the same status. */
const answerAll = (seen: SeenRequest, status = 200) =>
  new Response(
    keysOf(seen).map((key) => writeAnswerLine({ key, status, headers: {}, problem: undefined })).join(""),
  );

async function withPool(
  script: Script,
  use: (pool: Pool, worker: StubWorker) => Promise<void>,
  token?: string,
) {
  await using worker = new StubWorker(script);
  const pool = new Pool({ urls: [new URL(worker.url)], concurrency: 200, token, connectTimeoutMs: 500 });
  await pool.start();
  try {
    await use(pool, worker);
  } finally {
    await pool.close();
  }
}

const statuses = (answers: readonly Answered[]) =>
  answers.map(({ outcome }) => outcome.kind === "answer" ? outcome.status : outcome.kind);

/** Sends one, from which the pool learns what the worker takes, then all others in the same moment. */
async function sendAfterOne(pool: Pool, attempts: readonly AttemptRequest[]) {
  await pool.send(attempt(999_999));
  return await Promise.all(attempts.map((each) => pool.send(each)));
}

Deno.test("Batches sends what is there in the same moment as one request, once the worker has said that it takes batches", async () => {
  await withPool((seen) => isBatch(seen) ? answerAll(seen) : ok(), async (pool, worker) => {
    const before = await Promise.all([1, 2, 3].map((offset) => pool.send(attempt(offset))));
    assert.deepEqual(statuses(before), [200, 200, 200]);
    assert.equal(worker.requests.filter(isBatch).length, 0);
    const after = await Promise.all([4, 5, 6].map((offset) => pool.send(attempt(offset))));
    assert.deepEqual(statuses(after), [200, 200, 200]);
    assert.deepEqual(worker.requests.slice(3).map((seen) => [seen.path, keysOf(seen)]), [
      ["/classify/batch", ['"t/0/4"', '"t/0/5"', '"t/0/6"']],
    ]);
    const [batch] = worker.requests.slice(3);
    assert.equal(batch?.headers["content-type"], "application/x-ndjson");
    assert.deepEqual(readRecordLine(batch?.text.split("\n")[0] ?? ""), {
      headers: { ...attempt(4).headers, "ackpool-deadline": "5000" },
      body: attempt(4).body,
    });
  });
});

Deno.test("Batches sends one record alone: nothing waits for company", async () => {
  await withPool(ok, async (pool, worker) => {
    await sendAfterOne(pool, [attempt(1)]);
    assert.deepEqual(worker.requests.map(({ path }) => path), ["/classify", "/classify"]);
  });
});

Deno.test("Batches sends no more lines than the worker takes", async () => {
  const offer = { "ackpool-batch": "ndjson; max=3" };
  await withPool(
    (seen) => isBatch(seen) ? answerAll(seen) : new Response(null, { headers: offer }),
    async (pool, worker) => {
      await sendAfterOne(pool, [1, 2, 3, 4, 5, 6, 7].map((offset) => attempt(offset)));
      assert.deepEqual(worker.requests.slice(1).map((seen) => isBatch(seen) ? keysOf(seen).length : 1), [
        3,
        3,
        1,
      ]);
    },
  );
});

Deno.test("Batches sends alone what is large, has no key, the same key or another path", async () => {
  await withPool((seen) => isBatch(seen) ? answerAll(seen) : ok(), async (pool, worker) => {
    const answers = await sendAfterOne(pool, [
      attempt(1),
      attempt(2, { body: new Uint8Array(65_537) }),
      attempt(3, { headers: {} }),
      attempt(4, { path: "/other" }),
      attempt(5),
      attempt(1),
    ]);
    assert.deepEqual(statuses(answers), Array(6).fill(200));
    assert.deepEqual(worker.requests.filter(isBatch).map(keysOf), [['"t/0/1"', '"t/0/5"']]);
  });
});

Deno.test("Batches believes a worker that says nothing of batches any more", async () => {
  let headers: Record<string, string> = {};
  await withPool(
    (seen) => isBatch(seen) ? answerAll(seen) : new Response(null, { headers }),
    async (pool, worker) => {
      headers = OFFER;
      await pool.send(attempt(0));
      headers = {};
      await pool.send(attempt(1));
      await Promise.all([2, 3].map((offset) => pool.send(attempt(offset))));
      assert.equal(worker.requests.filter(isBatch).length, 0);
    },
  );
});

Deno.test("Batches sends one by one, at once and for a while, where the worker does not understand a batch", async () => {
  for (const status of [400, 404, 405, 413, 415, 422, 501]) {
    await withPool((seen) => isBatch(seen) ? status : ok(), async (pool, worker) => {
      const answers = await sendAfterOne(pool, [1, 2, 3].map((offset) => attempt(offset)));
      assert.deepEqual(statuses(answers), [200, 200, 200], String(status));
      await Promise.all([4, 5].map((offset) => pool.send(attempt(offset))));
      assert.deepEqual(worker.requests.filter(isBatch).length, 1, String(status));
    });
  }
});

Deno.test("Batches sends a record whose last attempt was reset alone, so that it breaks nobody else's batch", async () => {
  const broken = new ReadableStream({ start: (controller) => controller.error("gone") });
  let breaks = true;
  const script = (seen: SeenRequest) => {
    if (!isBatch(seen)) return ok();
    if (!breaks) return answerAll(seen);
    breaks = false;
    return new Response(broken);
  };
  await withPool(script, async (pool, worker) => {
    const answers = await sendAfterOne(pool, [1, 2].map((offset) => attempt(offset)));
    assert.deepEqual(statuses(answers), ["reset", "reset"]);
    const again = await Promise.all([1, 2, 3, 4].map((offset) => pool.send(attempt(offset))));
    assert.deepEqual(statuses(again), [200, 200, 200, 200]);
    assert.deepEqual(worker.requests.filter(isBatch).map(keysOf), [
      ['"t/0/1"', '"t/0/2"'],
      ['"t/0/3"', '"t/0/4"'],
    ]);
  });
});

Deno.test("Batches shows the worker's token once a request, and in no line", async () => {
  await withPool(
    (seen) => isBatch(seen) ? answerAll(seen) : ok(),
    async (pool, worker) => {
      await sendAfterOne(pool, [1, 2].map((offset) => attempt(offset)));
      const [, batch] = worker.requests;
      assert.equal(batch?.headers["authorization"], "Bearer sesame");
      assert.doesNotMatch(batch?.text ?? "", /sesame/);
    },
    "sesame",
  );
});

Deno.test("Batches holds a permit a record until its line comes", async () => {
  const lines = new TransformStream<Uint8Array, Uint8Array>();
  const writer = lines.writable.getWriter();
  const answer = async (offset: number) =>
    await writer.write(
      new TextEncoder().encode(
        writeAnswerLine({ key: `"t/0/${offset}"`, status: 200, headers: {}, problem: undefined }),
      ),
    );
  await withPool((seen) => isBatch(seen) ? new Response(lines.readable) : ok(), async (pool) => {
    await pool.send(attempt(0));
    const sending = [1, 2, 3].map((offset) => pool.send(attempt(offset)));
    assert.equal(pool.inFlight, 3);
    await answer(2);
    assert.deepEqual(statuses([await sending[1] ?? assert.fail()]), [200]);
    assert.equal(pool.inFlight, 2);
    await answer(1);
    await answer(3);
    await Promise.all(sending);
    assert.equal(pool.inFlight, 0);
    await writer.close();
  });
});
