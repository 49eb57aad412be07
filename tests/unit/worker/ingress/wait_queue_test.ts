// Tests of the queue that calls wait in.

import assert from "node:assert/strict";
import { type Arrival, WaitQueue, type WaitQueueBounds } from "../../../../worker/ingress/wait_queue.ts";

const BOUNDS: WaitQueueBounds = { placesMax: 2, patienceMs: 60_000, wakeMs: 60_000 };

/** A pool of so many permits, and the queue in front of it. */
function queueOf(permits: number, bounds: Partial<WaitQueueBounds> = {}) {
  const state = { permits, taken: 0, started: [] as string[] };
  const queue = new WaitQueue({ ...BOUNDS, ...bounds }, {
    isFree: () => state.taken < state.permits,
    isEmpty: () => state.permits === 0,
  });
  const join = (name: string, arrival: Partial<Arrival> = {}, nowMs = 0) =>
    queue.join(
      { arrivedMs: 0, signal: new AbortController().signal, again: false, ...arrival },
      nowMs,
      () => {
        state.taken++;
        state.started.push(name);
        return name;
      },
    );
  return { state, queue, join };
}

Deno.test("WaitQueue.join() starts a call at once while there is a permit", async () => {
  const { state, join } = queueOf(1);
  assert.deepEqual(await join("a"), { kind: "started", value: "a" });
  assert.equal(state.taken, 1);
});

Deno.test("WaitQueue.advance() starts those that wait in the order they came, as many as there are permits", async () => {
  const { state, queue, join } = queueOf(1, { placesMax: 10 });
  const turns = ["a", "b", "c", "d"].map((name) => join(name));
  assert.equal(queue.waiting, 3);
  state.taken = 0;
  queue.advance();
  assert.deepEqual(state.started, ["a", "b"]);
  state.permits = 3;
  queue.advance();
  assert.deepEqual(state.started, ["a", "b", "c", "d"]);
  assert.deepEqual((await Promise.all(turns)).map(({ kind }) => kind), Array(4).fill("started"));
});

Deno.test("WaitQueue.join() lets nobody overtake those that wait, but for one who had its turn already", async () => {
  const { state, queue, join } = queueOf(1);
  await join("first");
  const waiting = [join("a"), join("b")];
  const again = join("turned away", { again: true });
  state.taken = 0;
  queue.advance();
  assert.deepEqual(state.started, ["first", "turned away"]);
  state.permits = 4;
  queue.advance();
  assert.deepEqual(state.started, ["first", "turned away", "a", "b"]);
  await Promise.all([...waiting, again]);
});

Deno.test("WaitQueue.join() keeps the order of arrival among those who were turned away", async () => {
  const { state, queue, join } = queueOf(1);
  await join("first");
  const turns = [
    join("new", { arrivedMs: 9 }),
    join("b", { again: true, arrivedMs: 2 }),
    join("c", { again: true, arrivedMs: 3 }),
    join("a", { again: true, arrivedMs: 1 }),
  ];
  state.permits = 5;
  queue.advance();
  await Promise.all(turns);
  assert.deepEqual(state.started, ["first", "a", "b", "c", "new"]);
});

Deno.test("WaitQueue.join() takes no more than its bound, and says so at once", async () => {
  const { state, queue, join } = queueOf(1);
  await join("first");
  const waiting = [join("a"), join("b")];
  assert.deepEqual(await join("c"), { kind: "queue_full" });
  const again = join("turned away", { again: true });
  assert.equal(queue.waiting, 3);
  state.permits = 10;
  queue.advance();
  await Promise.all([...waiting, again]);
});

Deno.test("WaitQueue.join() gives up after patienceMs when all replicas are full", async () => {
  const { queue, join } = queueOf(1, { patienceMs: 20 });
  await join("first");
  assert.deepEqual(await join("a"), { kind: "still_full" });
  assert.equal(queue.waiting, 0);
});

Deno.test("WaitQueue.join() waits for wakeMs where there is no replica, and goes as soon as one appears", async () => {
  const { state, queue, join } = queueOf(0, { patienceMs: 10, wakeMs: 40 });
  assert.deepEqual(await join("a"), { kind: "no_replica" });
  const woken = join("b");
  state.permits = 1;
  queue.advance();
  assert.deepEqual(await woken, { kind: "started", value: "b" });
});

Deno.test("WaitQueue.join() turns a call away for good that was turned away beyond its patience", async () => {
  const { join } = queueOf(8, { patienceMs: 100 });
  assert.deepEqual(await join("in time", { again: true }, 99), { kind: "started", value: "in time" });
  assert.deepEqual(await join("late", { again: true }, 100), { kind: "still_full" });
});

Deno.test("WaitQueue.join() forgets a call whose caller has gone, and the next one is next", async () => {
  const { state, queue, join } = queueOf(1);
  await join("first");
  const caller = new AbortController();
  const [gone, next] = [join("gone", { signal: caller.signal }), join("next")];
  assert.equal(queue.oldestMs, 0);
  caller.abort();
  assert.deepEqual(await gone, { kind: "gone" });
  state.permits = 2;
  queue.advance();
  assert.deepEqual(await next, { kind: "started", value: "next" });
  assert.deepEqual([state.started, queue.waiting, queue.oldestMs], [["first", "next"], 0, undefined]);
});
