import assert from "node:assert/strict";
import { ChildFailedError } from "../../../../../local/processes/child.ts";
import { LEAVING_MS, type ReplicaProcess } from "../../../../../local/start/replicas/replica.ts";
import { type ReplicaPlace, ReplicaSet } from "../../../../../local/start/replicas/replica_set.ts";

/** A process that listens and ends when the test says so. */
class FakeProcess implements ReplicaProcess {
  readonly #listening = Promise.withResolvers<number>();
  readonly #ended = Promise.withResolvers<Deno.CommandStatus>();
  readonly listening = this.#listening.promise;
  readonly ended = this.#ended.promise;
  readonly stops: number[] = [];
  killed = false;

  async listen(port: number): Promise<void> {
    this.#listening.resolve(port);
    await settled();
  }
  async end(code: number): Promise<void> {
    this.#ended.resolve({ success: code === 0, code, signal: null });
    await settled();
  }
  async stop(graceMs: number): Promise<void> {
    this.stops.push(graceMs);
    await this.ended;
  }
  kill(): void {
    this.killed = true;
    this.#ended.resolve({ success: false, code: 137, signal: null });
  }
  failure(status: Deno.CommandStatus): ChildFailedError {
    return new ChildFailedError("fake", status.code, []);
  }
}

/** Lets promises that are resolved already take effect. */
const settled = () => new Promise((resolve) => setTimeout(resolve));

function setUp(max = 10) {
  const spawned: { readonly number: number; readonly process: FakeProcess }[] = [];
  const log: string[] = [];
  const timers = new Set<{ readonly atMs: number; readonly callBack: () => void }>();
  let published: readonly ReplicaPlace[] = [];
  let nowMs = 0;
  const replicas = new ReplicaSet(max, {
    spawn: (number) => {
      const process = new FakeProcess();
      spawned.push({ number, process });
      return process;
    },
    publish: (places) => published = places,
    onUp: (number, tookMs) => log.push(`up ${number} after ${tookMs}`),
    onCrash: ({ child, code }, pauseMs, listened) =>
      log.push(`crash ${child} code ${code} pause ${pauseMs} listened ${listened}`),
    nowMs: () => nowMs,
    later: (ms, callBack) => {
      const timer = { atMs: nowMs + ms, callBack };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    graceMs: 77,
  });
  return {
    replicas,
    spawned,
    log,
    published: () => published.map(({ number, port }) => `${number}:${port}`),
    process: (at: number): FakeProcess => spawned[at]?.process ?? assert.fail(`no process ${at}`),
    pass: (ms: number) => {
      nowMs += ms;
      for (const timer of [...timers].filter(({ atMs }) => atMs <= nowMs)) {
        timers.delete(timer);
        timer.callBack();
      }
    },
    /** Brings so many up, in as many rounds as it takes. */
    bringUp: async (wanted: number) => {
      for (let at = 0; at < wanted; at++) {
        replicas.scaleTo(wanted);
        await spawned[at]?.process.listen(9001 + at);
      }
    },
  };
}

Deno.test("ReplicaSet names a replica once it listens, and tells how long that took", async () => {
  const { replicas, published, process, pass, log } = setUp();
  replicas.scaleTo(1);
  assert.deepEqual(published(), []);
  pass(900);
  await process(0).listen(9001);
  assert.deepEqual(published(), ["1:9001"]);
  assert.deepEqual(log, ["up 1 after 900"]);
});

Deno.test("ReplicaSet starts the first one alone, then as many at once as are up", async () => {
  const { replicas, spawned, process } = setUp();
  replicas.scaleTo(7);
  replicas.scaleTo(7);
  assert.equal(spawned.length, 1);
  await process(0).listen(9001);
  replicas.scaleTo(7);
  assert.equal(spawned.length, 2);
  await process(1).listen(9002);
  replicas.scaleTo(7);
  assert.equal(spawned.length, 4);
  await process(2).listen(9003);
  await process(3).listen(9004);
  replicas.scaleTo(7);
  assert.deepEqual(spawned.map(({ number }) => number), [1, 2, 3, 4, 5, 6, 7]);
});

Deno.test("ReplicaSet takes a replica out of the name first and stops it when everybody has looked again", async () => {
  const { replicas, published, process, pass, bringUp } = setUp();
  await bringUp(2);
  replicas.scaleTo(1);
  assert.deepEqual(published(), ["1:9001"]);
  pass(LEAVING_MS - 1);
  assert.deepEqual(process(1).stops, []);
  pass(1);
  assert.deepEqual(process(1).stops, [77]);
  assert.equal(replicas.count("stopping"), 1);
  await process(1).end(0);
  assert.equal(replicas.count("stopping"), 0);
});

Deno.test("ReplicaSet takes a leaving replica back rather than start another", async () => {
  const { replicas, spawned, published, process, pass, bringUp } = setUp();
  await bringUp(1);
  replicas.scaleTo(0);
  assert.deepEqual(published(), []);
  pass(LEAVING_MS - 1);
  replicas.scaleTo(1);
  assert.deepEqual(published(), ["1:9001"]);
  pass(LEAVING_MS);
  assert.deepEqual([spawned.length, process(0).stops], [1, []]);
});

Deno.test("ReplicaSet starts another for one that died, after pauses that double up to 15 s", async () => {
  const { replicas, spawned, published, process, pass, log, bringUp } = setUp();
  await bringUp(1);
  pass(1000);
  await process(0).end(137);
  assert.deepEqual(published(), []);
  for (let at = 1; at <= 7; at++) {
    replicas.scaleTo(1);
    assert.equal(spawned.length, at, "not before the pause is over");
    pass(15_000);
    replicas.scaleTo(1);
    await process(at).end(1);
  }
  assert.deepEqual(log.slice(1).map((line) => Number(/pause (\d+)/.exec(line)?.[1])), [
    500,
    1000,
    2000,
    4000,
    8000,
    15_000,
    15_000,
    15_000,
  ]);
  assert.equal(log[1], "crash fake code 137 pause 500 listened true");
  assert.equal(log[2], "crash fake code 1 pause 1000 listened false");
});

Deno.test("ReplicaSet begins with the short pause again after a replica that ran steadily", async () => {
  const { replicas, process, pass, log } = setUp();
  replicas.scaleTo(1);
  await process(0).end(1);
  pass(500);
  replicas.scaleTo(1);
  pass(30_000);
  await process(1).end(1);
  assert.deepEqual(log.map((line) => /pause (\d+)/.exec(line)?.[1]), ["500", "500"]);
});

Deno.test("ReplicaSet never has more processes than the most, those that are stopping included", async () => {
  const { replicas, spawned, process, pass, bringUp } = setUp(2);
  await bringUp(2);
  replicas.scaleTo(0);
  pass(LEAVING_MS);
  replicas.scaleTo(2);
  assert.equal(spawned.length, 2);
  await process(0).end(0);
  replicas.scaleTo(2);
  assert.deepEqual(spawned.map(({ number }) => number), [1, 2, 1]);
});

Deno.test("ReplicaSet stops one that is still starting at once when it is not wanted any more", async () => {
  const { replicas, process, published } = setUp();
  replicas.scaleTo(1);
  replicas.scaleTo(0);
  assert.deepEqual(process(0).stops, [77]);
  await process(0).listen(9001);
  assert.deepEqual(published(), []);
});

Deno.test("ReplicaSet.stop() and kill() end all of them, and no other is started", async () => {
  const { replicas, spawned, process, log, bringUp } = setUp();
  await bringUp(2);
  const stopping = replicas.stop();
  replicas.scaleTo(5);
  assert.equal(spawned.length, 2);
  await process(0).end(0);
  replicas.kill();
  assert.equal(process(1).killed, true);
  await stopping;
  assert.deepEqual(log.filter((line) => line.startsWith("crash")), []);
});
