import assert from "node:assert/strict";
import type { Answered } from "../../../../../shared/pool/exchange/buffered.ts";
import { AttemptAbandoned } from "../../../../../shared/pool/exchange/buffered.ts";
import { hedged, type StartedAttempt } from "../../../../../shared/pool/exchange/hedge.ts";
import { Pool } from "../../../../../shared/pool/pool.ts";
import { Gate, StubWorker } from "../../../../support/workers/stub_worker.ts";
import { until } from "../../../../support/until.ts";

/** An attempt that the test ends. */
class Scripted implements StartedAttempt {
  readonly #ended = Promise.withResolvers<Answered>();
  abandoned = false;

  get answered(): Promise<Answered> {
    return this.#ended.promise;
  }

  abandon(): void {
    this.abandoned = true;
    this.#ended.reject(new AttemptAbandoned("given up"));
  }

  end(status: number): void {
    this.#ended.resolve({ outcome: { kind: "answer", status }, headers: {} });
  }
}

const statusOf = ({ outcome }: Answered) => outcome.kind === "answer" ? outcome.status : outcome.kind;

/** Two attempts under way. */
async function race(): Promise<{ first: Scripted; second: Scripted; came: Promise<Answered> }> {
  const [first, second, begun] = [new Scripted(), new Scripted(), Promise.withResolvers<void>()];
  const came = hedged(first, () => (begun.resolve(), second), 1);
  await begun.promise;
  return { first, second, came };
}

Deno.test("hedged() begins no second attempt where the first is quick", async () => {
  const first = new Scripted();
  first.end(500);
  const came = await hedged(first, () => assert.fail("began a second one"), 10_000);
  assert.equal(statusOf(came), 500);
});

Deno.test("hedged() takes the first that settles and gives the other up", async () => {
  const { first, second, came } = await race();
  second.end(200);
  assert.equal(statusOf(await came), 200);
  assert.equal(first.abandoned, true);
  const other = await race();
  other.first.end(422);
  assert.equal(statusOf(await other.came), 422);
});

Deno.test("hedged() waits for the first when the second gets 409: the ticket is being worked on", async () => {
  const { first, second, came } = await race();
  second.end(409);
  first.end(200);
  assert.equal(statusOf(await came), 200);
  assert.equal(first.abandoned, false);
});

Deno.test("hedged() waits for the second when the first fails, and tells the first's failure when both do", async () => {
  const saved = await race();
  saved.first.end(500);
  saved.second.end(200);
  assert.equal(statusOf(await saved.came), 200);
  for (const order of [["first", "second"], ["second", "first"]] as const) {
    const lost = await race();
    for (const which of order) lost[which].end(which === "first" ? 500 : 409);
    assert.equal(statusOf(await lost.came), 500);
  }
});

Deno.test("hedged() goes on with the first where no second one can begin", async () => {
  const first = new Scripted();
  const came = hedged(first, () => undefined, 1);
  first.end(200);
  assert.equal(statusOf(await came), 200);
});

const KEYED = { headers: { "idempotency-key": '"t/0/1"' }, body: null, timeoutMs: 20_000 };

async function poolOf(workers: readonly StubWorker[], hedgeMs: number | undefined): Promise<Pool> {
  const urls = workers.map(({ url }) => new URL(url));
  const pool = new Pool({ urls, concurrency: 2, token: undefined, connectTimeoutMs: 2000, hedgeMs });
  await pool.start();
  return pool;
}

Deno.test("Pool sends a straggler's second attempt to another replica, with the time left, and counts its permit", async () => {
  const gate = new Gate();
  const held = () => gate.opened.then(() => 200);
  await using one = new StubWorker(held);
  await using two = new StubWorker(held);
  const pool = await poolOf([one, two], 50);
  const came = pool.send(KEYED);
  await until("both", () => one.requests.length + two.requests.length === 2);
  assert.deepEqual([one.requests.length, two.requests.length], [1, 1]);
  assert.deepEqual([pool.inFlight, pool.permits], [2, 3]);
  const told = [one, two].map(({ requests }) => Number(requests[0]?.headers["ackpool-deadline"]));
  assert.ok(Math.max(...told) === 20_000 && Math.min(...told) <= 19_951, `${told}`);
  gate.open();
  assert.equal(statusOf(await came), 200);
  await until("the permits", () => pool.inFlight === 0 && pool.permits === 4);
  assert.equal(pool.hedges.sent, 1);
  await pool.close();
});

Deno.test("Pool hedges nothing by default, nothing without a key, and nothing where no permit is free", async () => {
  const gate = new Gate();
  await using one = new StubWorker(() => gate.opened.then(() => 200));
  const other = new StubWorker(() => gate.opened.then(() => 200));
  await using _ = other;
  const off = await poolOf([one, other], undefined);
  const on = await poolOf([one, other], 20);
  await using third = new StubWorker(() => gate.opened.then(() => 200));
  const later = await poolOf([third, other], 100);
  const sending = [off.send(KEYED), on.send({ ...KEYED, headers: {} })];
  for (let each = 0; each < 3; each++) sending.push(on.send(KEYED));
  await until("all to arrive", () => on.inFlight === 4 && one.requests.length + other.requests.length === 5);
  sending.push(later.send(KEYED));
  await until("one that is hedged later", () => later.hedges.sent === 1);
  assert.deepEqual([off.hedges.sent, on.hedges.sent], [0, 0]);
  gate.open();
  await Promise.all(sending);
  await Promise.all([off.close(), on.close(), later.close()]);
});
