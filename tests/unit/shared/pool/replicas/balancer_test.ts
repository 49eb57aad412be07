import assert from "node:assert/strict";
import fc from "fast-check";
import type { AttemptInFlight } from "../../../../../shared/pool/attempt_in_flight.ts";
import { Balancer } from "../../../../../shared/pool/replicas/balancer.ts";
import type { Outcome } from "../../../../../shared/contract/outcome.ts";

const ok: Outcome = { kind: "answer", status: 200 };
const limited: Outcome = { kind: "answer", status: 429, retryAfterMs: 1000 };
const full: Outcome = { kind: "answer", status: 503, retryAfterMs: 1000 };
const refused: Outcome = { kind: "refused", detail: "" };

function balancerOf(replicas: number, limitMax = 8): Balancer {
  const balancer = new Balancer(limitMax, () => 0.5);
  balancer.setAddresses(Array.from({ length: replicas }, (_, each) => `http://${each}`), 0);
  return balancer;
}

function send(balancer: Balancer, nowMs = 0): AttemptInFlight {
  const replica = balancer.pick(nowMs);
  assert.ok(replica !== undefined);
  return balancer.start(replica, nowMs);
}

Deno.test("Balancer.permits() is replicas times concurrency", () => {
  assert.equal(balancerOf(10).permits(0), 80);
  assert.equal(balancerOf(0).permits(0), 0);
});

Deno.test("Balancer.permits() of the others are theirs while one that leaves, hangs or is ejected holds attempts", () => {
  const balancer = balancerOf(4);
  const out = Array.from({ length: 32 }, () => send(balancer));
  const [away] = balancer.replicas;
  assert.ok(away !== undefined);
  for (
    const alone of [() => away.setDraining(true, 0), () => away.eject("outlier"), () => away.setLeaving(true)]
  ) {
    alone();
    assert.deepEqual([balancer.replicaPermits(0), balancer.inFlight, balancer.permits(0)], [24, 32, 32]);
  }
  const theirs = out.find(({ replica }) => replica !== away);
  assert.ok(theirs !== undefined);
  balancer.recordFinished(theirs, ok, 5);
  assert.equal(balancer.permits(5) - balancer.inFlight, 1);
  const held = out.find(({ replica }) => replica === away);
  assert.ok(held !== undefined);
  balancer.recordFinished(held, { kind: "timeout", detail: "" }, 5);
  assert.equal(balancer.permits(5) - balancer.inFlight, 1);
});

Deno.test("Balancer learns nothing of the provider from tickets that are held elsewhere", () => {
  const held: Outcome = { kind: "answer", status: 409, retryAfterMs: 1000 };
  const balancer = balancerOf(4, 6);
  let [nowMs, least] = [0, Infinity];
  for (let round = 0; round < 400; round++) {
    const permits = balancer.permits(nowMs);
    // All but one permit bring a label each round; the last one gets 24 times the answer that another replica has the ticket.
    const out = Array.from({ length: permits - 1 }, () => send(balancer, nowMs));
    for (let each = 0; permits === 24 && each < 24; each++) {
      const sent = send(balancer, nowMs);
      balancer.recordFinished(sent, held, nowMs += 20);
    }
    nowMs += permits === 24 ? 20 : 500;
    for (const sent of out) balancer.recordFinished(sent, ok, nowMs);
    least = Math.min(least, permits);
  }
  assert.ok(least < 24, "fewer were never tried");
  assert.equal(balancer.permits(nowMs), 24);
});

Deno.test("Balancer.permits() is 0 where nobody takes anything, whatever is still on its way", () => {
  const balancer = balancerOf(1);
  send(balancer);
  balancer.setAddresses([], 0);
  assert.deepEqual([balancer.inFlight, balancer.permits(0)], [1, 0]);
});

Deno.test("Balancer.pick() takes the less busy of two, and nothing when all are busy", () => {
  const rolls = [0.1, 0.9];
  const balancer = new Balancer(2, () => rolls[0] === undefined ? 0 : rolls.reverse()[0] ?? 0);
  balancer.setAddresses(["http://a", "http://b"], 0);
  const first = send(balancer);
  assert.notEqual(send(balancer).replica, first.replica);
  send(balancer);
  send(balancer);
  assert.equal(balancer.pick(0), undefined);
});

Deno.test("Balancer keeps what is held on 429, and grows from there while it is used", () => {
  const balancer = balancerOf(2, 10);
  const out = Array.from({ length: 20 }, () => send(balancer));
  for (const sent of out.splice(0, 8)) balancer.recordFinished(sent, limited, 5);
  assert.equal(balancer.permits(5), 12);
  let nowMs = 5;
  for (; balancer.permits(nowMs) < 20 && nowMs < 60_000; nowMs += 100) {
    while (balancer.inFlight < balancer.permits(nowMs)) out.push(send(balancer, nowMs));
    const sent = out.shift();
    assert.ok(sent !== undefined);
    balancer.recordFinished(sent, ok, nowMs);
  }
  assert.ok(nowMs < 10_000, `took ${nowMs} ms`);
});

Deno.test("Balancer rests for Retry-After when a 429 comes with nothing else on its way", () => {
  const balancer = balancerOf(2);
  balancer.recordFinished(send(balancer), limited, 100);
  assert.equal(balancer.permits(1099), 0);
  assert.equal(balancer.nextChangeMs(100), 1100);
  assert.equal(balancer.replicaPermits(100), 16);
  assert.ok(balancer.permits(1100) > 0);
});

Deno.test("Balancer.nextChangeMs() is when a rested replica comes back", () => {
  const balancer = balancerOf(1);
  balancer.recordFinished(send(balancer, 50), full, 50);
  assert.equal(balancer.permits(50), 0);
  assert.equal(balancer.nextChangeMs(50), 1050);
  assert.equal(balancer.permits(1050), 8);
  assert.equal(balancer.nextChangeMs(1050), undefined);
});

Deno.test("Balancer.setAddresses() keeps a replica that left until its attempts have ended", () => {
  const balancer = balancerOf(1);
  const sent = send(balancer);
  balancer.setAddresses([], 0);
  assert.equal(balancer.permits(0), 0);
  assert.equal(balancer.replicas.length, 1);
  balancer.recordFinished(sent, ok, 0);
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
    const out: AttemptInFlight[] = [];
    for (const [index, { do: what, roll, outcome }] of steps.entries()) {
      const nowMs = index * 100;
      if (what === "addresses") {
        balancer.setAddresses(["http://0", "http://1", "http://2"].slice(roll % 3), nowMs);
      }
      if (what === "send") {
        const replica = balancer.pick(nowMs);
        if (replica === undefined) continue;
        assert.ok(replica.isFree(nowMs) && !replica.ejected && !replica.leaving);
        out.push(balancer.start(replica, nowMs));
      }
      if (what === "end" && out.length > 0) {
        const [sent] = out.splice(roll % out.length, 1);
        if (sent !== undefined) balancer.recordFinished(sent, outcome, nowMs);
      }
      assert.equal(balancer.inFlight, out.length);
      assert.ok(balancer.permits(nowMs) <= 12);
    }
    for (const sent of out) balancer.recordFinished(sent, ok, 1e6);
    assert.equal(balancer.inFlight, 0);
  }));
});
