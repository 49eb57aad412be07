import assert from "node:assert/strict";
import { TICK_MS, TimerWheel } from "../../../../../shared/pool/exchange/timer_wheel.ts";
import { until } from "../../../../support/until.ts";

/** Something that notes when it expired. */
class Wait {
  readonly startedMs = performance.now();
  expiredMs: number | undefined;

  expire(): void {
    this.expiredMs = performance.now() - this.startedMs;
  }
}

Deno.test("TimerWheel expires each in its own time: never early, in order", async () => {
  const timers = new TimerWheel();
  const order: number[] = [];
  const waits = [300, 20, 120].map((limitMs) => {
    const wait = Object.assign(new Wait(), { limitMs });
    timers.add({ expire: () => (wait.expire(), order.push(limitMs)) }, limitMs);
    return wait;
  });
  await until("all of them", () => order.length === 3);
  assert.deepEqual(order, [20, 120, 300]);
  for (const { expiredMs, limitMs } of waits) {
    // A busy machine may add to the tick.
    assert.ok((expiredMs ?? 0) >= limitMs && (expiredMs ?? 0) < limitMs + TICK_MS + 500, `${expiredMs}`);
  }
});

Deno.test("TimerWheel.remove() keeps it from expiring, and no timer runs when nothing waits", async () => {
  const timers = new TimerWheel();
  const [gone, stays] = [new Wait(), new Wait()];
  const tick = timers.add(gone, 30);
  timers.add(stays, 60);
  timers.remove(gone, tick);
  timers.remove(gone, tick);
  await until("the one that stays", () => stays.expiredMs !== undefined);
  assert.equal(gone.expiredMs, undefined);
});

Deno.test("TimerWheel lets what expires begin something new with a limit", async () => {
  const timers = new TimerWheel();
  const second = new Wait();
  timers.add({ expire: () => void timers.add(second, 10) }, 10);
  await until("the second", () => second.expiredMs !== undefined);
});

Deno.test("TimerWheel.close() expires nothing any more and leaves no timer", () => {
  const timers = new TimerWheel();
  timers.add({ expire: () => assert.fail("expired after close()") }, 1);
  timers.close();
});
