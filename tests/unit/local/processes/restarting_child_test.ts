// Restarting children that crash.

import assert from "node:assert/strict";
import { ChildFailedError } from "../../../../local/processes/child.ts";
import { RestartingChild, type RunningChild } from "../../../../local/processes/restarting_child.ts";

/** A child that ends when the test says so. */
class FakeChild implements RunningChild {
  readonly #end = Promise.withResolvers<Deno.CommandStatus>();
  readonly ended = this.#end.promise;
  readonly stops: number[] = [];

  exit(code: number): void {
    this.#end.resolve({ success: code === 0, code, signal: null });
  }
  stop(graceMs: number): Promise<void> {
    this.stops.push(graceMs);
    this.exit(0);
    return Promise.resolve();
  }
  kill(): void {
    this.exit(137);
  }
  failure(status: Deno.CommandStatus): ChildFailedError {
    return new ChildFailedError("fake", status.code, []);
  }
}

function setUp() {
  const children: FakeChild[] = [];
  const pauses: number[] = [];
  const clock = { nowMs: 0 };
  const spawned: PromiseWithResolvers<FakeChild>[] = [];
  const spawnOf = (at: number) => (spawned[at] ??= Promise.withResolvers<FakeChild>());
  const done = Promise.withResolvers<void>();
  const kept = new RestartingChild<FakeChild>({
    spawn: () => {
      const child = new FakeChild();
      children.push(child);
      spawnOf(children.length - 1).resolve(child);
      return child;
    },
    ready: (child) =>
      Promise.race([child.ended.then((status) => Promise.reject(child.failure(status))), Promise.resolve()]),
    onCrash: (_why, pauseMs) => pauses.push(pauseMs),
    onDone: done.resolve,
    nowMs: () => clock.nowMs,
    sleep: () => Promise.resolve(),
  });
  return { kept, children, pauses, clock, child: (at: number) => spawnOf(at).promise, done: done.promise };
}

Deno.test("RestartingChild starts a crashed child again, after pauses that double up to 15 s", async () => {
  const { kept, pauses, child } = setUp();
  await kept.start();
  for (let at = 0; at < 7; at++) (await child(at)).exit(1);
  await child(7);
  assert.deepEqual(pauses, [500, 1000, 2000, 4000, 8000, 15000, 15000]);
  await kept.stop(0);
});

Deno.test("RestartingChild begins with the short pause again once the child has run steadily", async () => {
  const { kept, pauses, clock, child } = setUp();
  await kept.start();
  (await child(0)).exit(1);
  (await child(1)).exit(1);
  const third = await child(2);
  clock.nowMs = 30_000;
  third.exit(1);
  await child(3);
  assert.deepEqual(pauses, [500, 1000, 500]);
  await kept.stop(0);
});

Deno.test("RestartingChild.stop() stops the child and starts no other, however often it is called", async () => {
  const { kept, children, pauses } = setUp();
  await kept.start();
  await Promise.all([kept.stop(5), kept.stop(5)]);
  assert.deepEqual([children.length, children[0]?.stops, pauses], [1, [5, 5], []]);
});

Deno.test("RestartingChild leaves a child that is done alone", async () => {
  const { kept, children, child, done } = setUp();
  await kept.start();
  (await child(0)).exit(0);
  await done;
  await kept.stop(0);
  assert.equal(children.length, 1);
});
