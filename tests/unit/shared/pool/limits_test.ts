import assert from "node:assert/strict";
import { Balancer } from "../../../../shared/pool/replicas/balancer.ts";
import { adaptive, drive } from "../../../bench/limits/drive.ts";
import { CASES, find, recover } from "../../../bench/limits/cases.ts";
import { HardCap } from "../../../bench/limits/providers.ts";
import { stream } from "../../../simulation/random.ts";

// The cheap form of `deno task bench:limits`: virtual time, seeded, a second of CPU each.
for (const each of CASES) {
  Deno.test(`Balancer brings 0.95 of what the best fixed limit brings: ${each.name}`, () => {
    const forMs = each.warmUpMs > 60_000 ? 300_000 : 120_000;
    const { ratio, adaptive, best } = find(each, forMs, 1, [4, 6, 8, 16, 32, 37, 80]);
    assert.ok(ratio >= 0.95, `${ratio.toFixed(3)} of the best`);
    assert.ok(adaptive.refusals <= Math.max(2, best.refusals), `${adaptive.refusals} refusals a second`);
  });
}

for (const each of CASES.filter(({ bursts }) => bursts === undefined)) {
  Deno.test(`Balancer gives back within seconds what an overload took: ${each.name}`, () => {
    const { seconds } = recover(each, 1);
    assert.ok(seconds <= 20, `after ${seconds} s`);
  });
}

Deno.test("Balancer keeps every permit busy under lognormal latencies, however long it looks at them", () => {
  for (const seed of [1, 2, 3]) {
    const provider = new HardCap(stream(seed), 1000);
    const { inFlight } = drive({ provider, policy: adaptive(10, 8, seed), forMs: 900_000 });
    assert.ok(inFlight >= 0.99 * 80, `${inFlight} of 80 in flight, seed ${seed}`);
  }
});

Deno.test("Balancer restricts nobody whose latency grows by itself: fewer bring less, and that is seen", () => {
  for (const seed of [1, 2, 3]) {
    const balancer = new Balancer(8, stream(seed));
    balancer.setAddresses(Array.from({ length: 10 }, (_, index) => `http://${index}`), 0);
    const random = stream(seed + 100);
    const due: { atMs: number; sent: ReturnType<Balancer["start"]> }[] = [];
    let [nowMs, area] = [0, 0];
    while (nowMs < 600_000) {
      while (balancer.inFlight < balancer.permits(nowMs)) {
        const replica = balancer.pick(nowMs);
        if (replica === undefined) break;
        // From the second minute on the provider takes four times as long, whatever is asked of it.
        const tookMs = (nowMs > 60_000 ? 1000 : 250) * (0.5 + random());
        due.push({ atMs: nowMs + tookMs, sent: balancer.start(replica, nowMs) });
      }
      due.sort((a, b) => b.atMs - a.atMs);
      const next = due.pop();
      assert.ok(next !== undefined);
      area += (due.length + 1) * (next.atMs - nowMs);
      nowMs = next.atMs;
      balancer.recordFinished(next.sent, { kind: "answer", status: 200 }, nowMs);
    }
    assert.ok(area / nowMs >= 0.97 * 80, `${area / nowMs} of 80 in flight, seed ${seed}`);
  }
});
