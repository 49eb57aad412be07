import assert from "node:assert/strict";
import { DueQueue } from "../../../../consumer/core/structures/due_queue.ts";
import type { Outcome } from "../../../../shared/contract/outcome.ts";
import { Balancer } from "../../../../shared/pool/replicas/balancer.ts";
import { lognormalMs } from "../../../bench/limits/providers.ts";
import { stream } from "../../../simulation/random.ts";

const OK: Outcome = { kind: "answer", status: 200 };
const TIMEOUT_MS = 20_000;
const [FAULT_MS, FAULT_FOR_MS, END_MS] = [60_000, 60_000, 180_000];

/** What a faulty replica does with an attempt; `healthy` is what it would have taken. */
type Fault = (
  healthyMs: number,
) => { readonly tookMs: number; readonly outcome: Outcome; readonly ready: boolean };

interface Played {
  readonly balancer: Balancer;
  /** Settled a second by the replicas without a fault: before it, during it, after it. */
  readonly others: readonly [number, number, number];
  /** Attempts that the faulty ones got while they were. */
  readonly spoilt: number;
  /** Share of what the faulty ones settled before that they settle in the last half minute. */
  readonly back: number;
}

/** Ten replicas of eight permits under a backlog; the first `faulty` of them have the fault for a minute. */
function play(fault: Fault, faulty: number, seed = 1): Played {
  const random = stream(seed);
  const balancer = new Balancer(8, random);
  balancer.setAddresses(Array.from({ length: 10 }, (_, index) => String(index)), 0);
  const due = new DueQueue<() => void>();
  const counts = { others: [0, 0, 0], faulty: [0, 0] };
  let [nowMs, spoilt] = [0, 0];
  const isFaulty = (address: string) => Number(address) < faulty;
  const failing = () => nowMs >= FAULT_MS && nowMs < FAULT_MS + FAULT_FOR_MS;
  const check = (address: string, waitMs: number): void =>
    due.push(nowMs + waitMs, () => {
      if (failing() && isFaulty(address) && !fault(1).ready) {
        return check(address, Math.min(5000, waitMs * 2));
      }
      balancer.replicas.find((replica) => replica.address === address)?.readmit();
    });
  const send = () => {
    while (balancer.inFlight < balancer.permits(nowMs)) {
      const replica = balancer.pick(nowMs);
      if (replica === undefined) return;
      const sent = balancer.start(replica, nowMs);
      const healthyMs = lognormalMs(random);
      const bad = failing() && isFaulty(replica.address);
      if (bad) spoilt += 1;
      const { tookMs, outcome } = bad ? fault(healthyMs) : { tookMs: healthyMs, outcome: OK };
      due.push(nowMs + Math.min(tookMs, TIMEOUT_MS), () => {
        const before = replica.ejected;
        const late = tookMs >= TIMEOUT_MS;
        const came: Outcome = late ? { kind: "timeout", detail: "" } : outcome;
        balancer.recordFinished(sent, came, nowMs);
        if (replica.ejected && !before) check(replica.address, 500);
        if (came.kind !== "answer" || came.status !== 200) return;
        const third = nowMs < FAULT_MS ? 0 : failing() ? 1 : 2;
        if (!isFaulty(replica.address)) counts.others[third] = (counts.others[third] ?? 0) + 1;
        else if (nowMs < FAULT_MS) counts.faulty[0] = (counts.faulty[0] ?? 0) + 1;
        else if (nowMs >= END_MS - 30_000) counts.faulty[1] = (counts.faulty[1] ?? 0) + 1;
      });
    }
  };
  while (nowMs < END_MS) {
    send();
    nowMs = Math.min(due.nextMs ?? Infinity, balancer.nextChangeMs(nowMs) ?? Infinity);
    for (let next = due.takeDue(nowMs); next !== undefined; next = due.takeDue(nowMs)) next();
  }
  const [before = 0, during = 0, after = 0] = counts.others;
  const [faultyBefore = 0, faultyBack = 0] = counts.faulty;
  return {
    balancer,
    others: [before / 60, during / 60, after / 60],
    spoilt,
    back: faultyBack * 2 / faultyBefore,
  };
}

const answers = (status: number): Outcome => ({ kind: "answer", status });
const FAULTS: readonly (readonly [string, Fault])[] = [
  ["stopped: it takes attempts and never answers", () => ({ tookMs: Infinity, outcome: OK, ready: false })],
  ["ten times slower", (ms) => ({ tookMs: ms * 10, outcome: OK, ready: true })],
  ["answering 500 at once, and ready", () => ({ tookMs: 5, outcome: answers(500), ready: true })],
  ["answering 500 as late as others answer", (ms) => ({ tookMs: ms, outcome: answers(500), ready: false })],
  ["gone", () => ({ tookMs: 1, outcome: { kind: "refused", detail: "" }, ready: false })],
  ["answering 401", () => ({ tookMs: 5, outcome: answers(401), ready: true })],
];

for (const [name, fault] of FAULTS) {
  for (const faulty of [1, 3]) {
    Deno.test(`Balancer lets the others lose nothing by ${faulty} of 10 replicas ${name}`, () => {
      const { others: [before, during, after], back, spoilt } = play(fault, faulty);
      assert.ok(during >= 0.95 * before, `${before} a second before, ${during} meanwhile`);
      assert.ok(after >= 0.95 * before, `${before} a second before, ${after} after`);
      assert.ok(back >= 0.9, `they bring ${back} of what they brought before`);
      // An attempt every other second finds out whether it is over; slow ones are merely slow.
      if (!name.startsWith("ten")) assert.ok(spoilt <= 150 * faulty, `${spoilt} attempts on faulty replicas`);
    });
  }
}

Deno.test("Balancer ejects a replica that fails half of the time, which never happens in a row for long", () => {
  let turn = 0;
  const flaky: Fault = (ms) => ({ tookMs: ms, outcome: turn++ % 2 === 0 ? OK : answers(500), ready: true });
  const { others: [before, during], spoilt } = play(flaky, 1);
  assert.ok(during >= 0.95 * before);
  // A healthy one gets a thousand in that time.
  assert.ok(spoilt < 600, `${spoilt} attempts on it`);
});

Deno.test("Balancer never ejects more than half of the pool for its share of failures alone", () => {
  let turn = 0;
  const flaky: Fault = (ms) => ({ tookMs: ms, outcome: turn++ % 2 === 0 ? OK : answers(500), ready: false });
  const { balancer, others: [before, during] } = play(flaky, 9);
  assert.ok(during >= 0.95 * before);
  assert.ok(balancer.replicas.length === 10);
});

Deno.test("Balancer ejects nobody for a time limit that all attempts run into: then it is not the replicas", () => {
  const balancer = new Balancer(2, stream(1));
  balancer.setAddresses(["a", "b", "c"], 0);
  let nowMs = 0;
  for (let round = 0; round < 20; round++) {
    const out = [];
    while (balancer.inFlight < balancer.permits(nowMs)) {
      const replica = balancer.pick(nowMs);
      assert.ok(replica !== undefined);
      out.push(balancer.start(replica, nowMs));
    }
    nowMs += 10_000;
    for (const sent of out) balancer.recordFinished(sent, { kind: "timeout", detail: "" }, nowMs);
  }
  assert.equal(balancer.replicaPermits(nowMs), 6);
});

Deno.test("Balancer gives a replica that says it drains not one more attempt until it is ready again", () => {
  const balancer = new Balancer(4, stream(1));
  balancer.setAddresses(["a", "b"], 0);
  const out = Array.from({ length: 8 }, () => {
    const replica = balancer.pick(0);
    assert.ok(replica !== undefined);
    return balancer.start(replica, 0);
  });
  const first = out.find(({ replica }) => replica.address === "a");
  assert.ok(first !== undefined);
  const draining = {
    kind: "answer",
    status: 503,
    retryAfterMs: 0,
    problemType: "/problems/draining",
  } as const;
  balancer.recordFinished(first, draining, 10);
  for (const sent of out) if (sent !== first) balancer.recordFinished(sent, OK, 20);
  for (let each = 0; each < 100; each++) assert.notEqual(balancer.pick(10_000)?.address, "a");
  first.replica.setDraining(false, 20_000);
  assert.ok(first.replica.isFree(20_000));
});

Deno.test("Balancer gives a replica that joins work at once, but few attempts at first", () => {
  const random = stream(1);
  const balancer = new Balancer(16, random);
  balancer.setAddresses(["a", "b"], 0);
  balancer.setAddresses(["a", "b", "c"], 1000);
  const fresh = balancer.replicas.find(({ address }) => address === "c");
  assert.equal(fresh?.permits(1000), 2);
  assert.equal(balancer.nextChangeMs(1000), 1500);
  assert.equal(fresh?.permits(1500), 4);
  assert.equal(fresh?.permits(5000), 16);
});

Deno.test("Balancer ejects no replica for bad records, which fail wherever they go", () => {
  const random = stream(1);
  const balancer = new Balancer(8, random);
  balancer.setAddresses(["0", "1", "2", "3"], 0);
  const ejections = new Set<string>();
  for (let nowMs = 0; nowMs < 120_000; nowMs += 20) {
    const replica = balancer.pick(nowMs);
    if (replica === undefined) continue;
    const bad = random() < 0.6;
    balancer.recordFinished(
      balancer.start(replica, nowMs),
      { kind: "answer", status: bad ? 502 : 200 },
      nowMs,
    );
    // At the very first nothing is known of the others.
    if (nowMs > 5000 && replica.ejected) ejections.add(`${replica.address} at ${nowMs}`);
    if (replica.ejected) replica.readmit();
  }
  assert.deepEqual([...ejections], []);
});
