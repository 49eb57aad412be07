import assert from "node:assert/strict";
import fc from "fast-check";
import { Balancer } from "../../../../shared/pool/balancer.ts";
import type { Outcome } from "../../../../shared/outcome.ts";
import type { Replica } from "../../../../shared/pool/replica.ts";

const ok: Outcome = { kind: "answer", status: 200 };
const limited: Outcome = { kind: "answer", status: 429, retryAfterMs: 1000 };
const full: Outcome = { kind: "answer", status: 503, retryAfterMs: 1000 };
const refused: Outcome = { kind: "refused", detail: "" };

function balancerOf(replicas: number, limitMax = 8): Balancer {
  const balancer = new Balancer(limitMax, () => 0.5);
  balancer.setAddresses(Array.from({ length: replicas }, (_, each) => `http://${each}`));
  return balancer;
}

function send(balancer: Balancer, nowMs = 0): Replica {
  const replica = balancer.pick(nowMs);
  assert.ok(replica !== undefined);
  replica.recordStarted();
  return replica;
}

Deno.test("Balancer.permits() is replicas times concurrency", () => {
  assert.equal(balancerOf(10).permits(0), 80);
  assert.equal(balancerOf(0).permits(0), 0);
});

Deno.test("Balancer.pick() takes the less busy of two, and nothing when all are busy", () => {
  const rolls = [0.1, 0.9];
  const balancer = new Balancer(2, () => rolls[0] === undefined ? 0 : rolls.reverse()[0] ?? 0);
  balancer.setAddresses(["http://a", "http://b"]);
  const first = send(balancer);
  assert.notEqual(send(balancer), first);
  send(balancer);
  send(balancer);
  assert.equal(balancer.pick(0), undefined);
});

Deno.test("Balancer slows the whole pool down on 429, once a second, and speeds up again on successes", () => {
  const balancer = balancerOf(2, 10);
  const out = Array.from({ length: 20 }, () => send(balancer));
  const [first, second, third, ...rest] = out;
  assert.ok(first && second && third);
  balancer.recordFinished(first, limited, 1, 0);
  assert.equal(balancer.permits(0), 14);
  balancer.recordFinished(second, limited, 1, 999);
  assert.equal(balancer.permits(999), 14);
  balancer.recordFinished(third, limited, 1, 1000);
  assert.equal(balancer.permits(1000), 9);
  for (const replica of rest) balancer.recordFinished(replica, ok, 1, 2000);
  for (let each = 0; each < 300; each++) balancer.recordFinished(send(balancer, 2000), ok, 1, 2000);
  assert.equal(balancer.permits(2000), 20);
});

Deno.test("Balancer.nextChangeMs() is when a rested replica comes back", () => {
  const balancer = balancerOf(1);
  balancer.recordFinished(send(balancer, 50), full, 1, 50);
  assert.equal(balancer.permits(50), 0);
  assert.equal(balancer.nextChangeMs(50), 1050);
  assert.equal(balancer.permits(1050), 8);
  assert.equal(balancer.nextChangeMs(1050), undefined);
});

Deno.test("Balancer.setAddresses() keeps a replica that left until its attempts have ended", () => {
  const balancer = balancerOf(1);
  const replica = send(balancer);
  balancer.setAddresses([]);
  assert.equal(balancer.permits(0), 0);
  assert.equal(balancer.replicas.length, 1);
  balancer.recordFinished(replica, ok, 1, 0);
  assert.equal(balancer.replicas.length, 0);
});

Deno.test("Balancer.recordAbandoned() gives the permit back and says nothing about the replica", () => {
  const balancer = balancerOf(1, 1);
  balancer.recordAbandoned(send(balancer));
  assert.equal(balancer.inFlight, 0);
  assert.equal(balancer.pick(0)?.latencyMs, 0);
});

Deno.test("Balancer never picks a busy, ejected, resting or leaving replica, and never loses count", () => {
  const step = fc.record({
    do: fc.constantFrom("send", "send", "send", "end", "end", "addresses"),
    roll: fc.nat(),
    outcome: fc.constantFrom(ok, ok, limited, full, refused),
  });
  fc.assert(fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
    const balancer = balancerOf(3, 4);
    const out: Replica[] = [];
    for (const [index, { do: what, roll, outcome }] of steps.entries()) {
      const nowMs = index * 100;
      if (what === "addresses") balancer.setAddresses(["http://0", "http://1", "http://2"].slice(roll % 3));
      if (what === "send") {
        const replica = balancer.pick(nowMs);
        if (replica === undefined) continue;
        assert.ok(replica.isFree(nowMs) && !replica.ejected && !replica.leaving);
        replica.recordStarted();
        out.push(replica);
      }
      if (what === "end" && out.length > 0) {
        const [replica] = out.splice(roll % out.length, 1);
        if (replica !== undefined) balancer.recordFinished(replica, outcome, 1, nowMs);
      }
      assert.equal(balancer.inFlight, out.length);
      assert.ok(balancer.permits(nowMs) <= 12);
    }
    for (const replica of out) balancer.recordFinished(replica, ok, 1, 1e6);
    assert.equal(balancer.inFlight, 0);
  }));
});
