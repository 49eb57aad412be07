import assert from "node:assert/strict";
import { Deadlines, TICK_MS } from "../../../../../shared/pool/exchange/timer_wheel.ts";
import { until } from "../../../../support/until.ts";

/** Something that notes when it expired. */
class Wait {
  readonly startedMs = performance.now();
  expiredMs: number | undefined;

  expire(): void {
    this.expiredMs = performance.now() - this.startedMs;
  }
}

Deno.test("Deadlines expires each in its own time: never early, in order", async () => {
  const deadlines = new Deadlines();
  const order: number[] = [];
  const waits = [300, 20, 120].map((limitMs) => {
    const wait = Object.assign(new Wait(), { limitMs });
    deadlines.add({ expire: () => (wait.expire(), order.push(limitMs)) }, limitMs);
    return wait;
  });
  await until("all of them", () => order.length === 3);
  assert.deepEqual(order, [20, 120, 300]);
  for (const { expiredMs, limitMs } of waits) {
    // A busy machine may add to the tick.
    assert.ok((expiredMs ?? 0) >= limitMs && (expiredMs ?? 0) < limitMs + TICK_MS + 500, `${expiredMs}`);
  }
});

Deno.test("Deadlines.remove() keeps it from expiring, and no timer runs when nothing waits", async () => {
  const deadlines = new Deadlines();
  const [gone, stays] = [new Wait(), new Wait()];
  const tick = deadlines.add(gone, 30);
  deadlines.add(stays, 60);
  deadlines.remove(gone, tick);
  deadlines.remove(gone, tick);
  await until("the one that stays", () => stays.expiredMs !== undefined);
  assert.equal(gone.expiredMs, undefined);
});

Deno.test("Deadlines lets what expires begin something new with a limit", async () => {
  const deadlines = new Deadlines();
  const second = new Wait();
  deadlines.add({ expire: () => void deadlines.add(second, 10) }, 10);
  await until("the second", () => second.expiredMs !== undefined);
});

Deno.test("Deadlines.close() expires nothing any more and leaves no timer", () => {
  const deadlines = new Deadlines();
  deadlines.add({ expire: () => assert.fail("expired after close()") }, 1);
  deadlines.close();
});
