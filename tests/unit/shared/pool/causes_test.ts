import assert from "node:assert/strict";
import type { Outcome } from "../../../../shared/contract/outcome.ts";
import { Balancer } from "../../../../shared/pool/replicas/balancer.ts";
import { poolCauses } from "../../../../shared/pool/causes.ts";

const NOTHING = {
  replicas: [],
  hosts: ["workers:8000"],
  emptySinceMs: undefined,
  rest: undefined,
  nowMs: 1000,
};

Deno.test("poolCauses() is empty while a replica takes work and the provider lets us through", () => {
  assert.deepEqual(poolCauses(NOTHING), []);
  assert.deepEqual(poolCauses({ ...NOTHING, rest: { sinceMs: 0, untilMs: 500 } }), []);
});

Deno.test("poolCauses() says of the replicas there are why each gets nothing, and what it came to last", () => {
  const balancer = new Balancer(1, () => 0);
  balancer.setAddresses(["a", "b"], 0);
  const [first, second] = balancer.replicas;
  assert.ok(first !== undefined && second !== undefined);
  for (let each = 0; each < 3; each++) {
    const detail = "ECONNREFUSED";
    balancer.recordFinished(balancer.start(first, each), { kind: "refused", detail }, each);
  }
  second.setDraining(true, 0);
  const [cause] = poolCauses({ ...NOTHING, replicas: balancer.replicas, emptySinceMs: 900 });
  assert.equal(cause?.name, "no-replica");
  assert.equal(
    cause?.detail,
    "None of 2 replicas takes work (workers:8000): " +
      "1 failures-in-a-row (last refused, ECONNREFUSED), 1 draining",
  );
});

Deno.test("poolCauses() tells a long rest that the provider asked for, and no short one", () => {
  const [long] = poolCauses({ ...NOTHING, rest: { sinceMs: 0, untilMs: 31_000 } });
  assert.equal(long?.name, "rate-limited");
  assert.match(long?.detail ?? "", /another 30 s/);
  assert.deepEqual(poolCauses({ ...NOTHING, rest: { sinceMs: 0, untilMs: 5000 } }), []);
});

Deno.test("poolCauses() calls it an outage when every replica is there and fails", () => {
  const balancer = new Balancer(1, () => 0);
  balancer.setAddresses(["a", "b"], 0);
  const causes = () => poolCauses({ ...NOTHING, replicas: balancer.replicas, emptySinceMs: 900 });
  const fail = (at: number, outcome: Outcome) => {
    const replica = balancer.replicas[at];
    assert.ok(replica !== undefined);
    balancer.recordFinished(balancer.start(replica, 0), outcome, 0);
    replica.eject("failures-in-a-row");
  };
  fail(0, { kind: "timeout", detail: "no answer" });
  assert.equal(causes()[0]?.name, "no-replica");
  fail(1, { kind: "refused", detail: "ECONNREFUSED" });
  const [cause] = causes();
  assert.equal(cause?.name, "outage");
  assert.match(cause?.detail ?? "", /^Every replica fails \(workers:8000\): .*timeout/);
});

Deno.test("poolCauses() says what all workers say is wrong, also where nothing is to be sent", () => {
  const balancer = new Balancer(1, () => 0);
  balancer.setAddresses(["http://a", "http://b"], 0);
  const causes = () => poolCauses({ ...NOTHING, replicas: balancer.replicas });
  const complaints = [{ name: "provider-refused", detail: "no model gpt-x", remedy: "Set OPENAI_MODEL" }];
  const [first, second] = balancer.replicas;
  first?.recordComplaints(complaints, 100);
  assert.deepEqual(causes(), []);
  second?.recordComplaints(complaints, 200);
  second?.recordComplaints(complaints, 700);
  assert.deepEqual(causes(), [{
    name: "workers-not-ready",
    sinceMs: 200,
    detail: "2 of 2 workers say that they are not ready: provider-refused: no model gpt-x (says http://a)",
    remedy: "Set OPENAI_MODEL",
  }]);
  first?.recordComplaints([], 800);
  assert.deepEqual(causes(), []);
});

Deno.test("poolCauses() does not take workers that are shutting down for ones in trouble", () => {
  const balancer = new Balancer(1, () => 0);
  balancer.setAddresses(["http://a"], 0);
  balancer.replicas[0]?.recordComplaints([{ name: "draining", detail: "", remedy: "" }], 100);
  assert.deepEqual(poolCauses({ ...NOTHING, replicas: balancer.replicas }), []);
});
