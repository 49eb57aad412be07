import assert from "node:assert/strict";
import { why } from "../../../../../consumer/core/why/why.ts";
import type { Cause } from "../../../../../shared/http/health.ts";
import { factsWith, NOW_MS, partitionOf } from "./fixtures.ts";

const REFUSED = {
  kind: "answer" as const,
  status: 403,
  problemType: "/problems/provider-refused",
  excerpt: JSON.stringify({ detail: "tenant 7 has no quota" }),
};

const cause = (name: string, agoMs = 14_000): Cause => ({
  name,
  sinceMs: NOW_MS - agoMs,
  detail: `detail of ${name}`,
  remedy: `remedy of ${name}`,
});

Deno.test("why() of a consumer with nothing to do is idle, and names no cause", () => {
  const { state, sentence, cause, since, evidence, remedy, cost } = why(factsWith());
  assert.deepEqual([state, sentence], ["idle", "Idle: every record is settled."]);
  assert.deepEqual([cause, since, evidence, remedy, cost], [null, null, null, null, null]);
});

Deno.test("why() of a consumer at work says how fast, how much is left and how long it takes", () => {
  const rates = { arrivedPerSecond: 10, settledPerSecond: 50, overMs: 60_000 };
  const facts = factsWith({ rates, oldestAgeMs: 125_000 }, {
    partitions: [partitionOf(0, 5230)],
    inFlight: 8,
  });
  const { state, sentence, figures } = why(facts);
  assert.equal(state, "running");
  assert.equal(
    sentence,
    "Running: 50 a second, 5,230 records to do, the oldest 2 min old; done in about 2 min.",
  );
  assert.equal(figures.drainSeconds, 131);
});

Deno.test("why() says what holds it up, since when, on what evidence, what to do, and what it costs to do nothing", () => {
  const rates = { arrivedPerSecond: 3.5, settledPerSecond: 0, overMs: 60_000 };
  const facts = factsWith({ causes: [cause("misconfigured")], rates, oldestAgeMs: 61_000 }, {
    partitions: [partitionOf(0, 41)],
  });
  const { state, sentence, since, evidence, remedy, cost } = why(facts);
  assert.equal(state, "held-up");
  assert.equal(sentence, "Held up by misconfigured for 14 s: detail of misconfigured.");
  assert.deepEqual([since, evidence, remedy], [
    "2026-01-31T11:59:46.000Z",
    "detail of misconfigured",
    "remedy of misconfigured",
  ]);
  assert.equal(
    cost,
    "41 records wait, the oldest for 61 s, and 3.5 a second come. Nothing is lost and no record loses an attempt; " +
      "delivery goes on by itself once it is mended.",
  );
});

Deno.test("why() names the cause of the earliest check: what comes later follows from it", () => {
  const causes = [cause("no-replica"), cause("dead-letter-flood"), cause("kafka-unavailable")];
  const answer = why(factsWith({ causes }));
  assert.equal(answer.cause, "kafka-unavailable");
  assert.deepEqual(answer.causes.map(({ name }) => name), [
    "no-replica",
    "dead-letter-flood",
    "kafka-unavailable",
  ]);
});

Deno.test("why() waits for one record where nothing else is left, and names the command for it", () => {
  const head = { attemptsSent: 6, lastOutcome: REFUSED };
  const answer = why(factsWith({}, { partitions: [partitionOf(0, 1, head), partitionOf(1)] }));
  assert.deepEqual([answer.state, answer.cause], ["held-up", "stalled-record"]);
  assert.match(answer.sentence, /tickets\/0\/10 was tried 6 times \(0 counted\), .*tenant 7 has no quota/);
  assert.match(answer.remedy ?? "", /deno task dlq take tickets\/0\/10/);
});

Deno.test("why() of a consumer that goes on beside a record that stalls is running, and a check names the record", () => {
  const head = { attemptsSent: 6, lastOutcome: REFUSED };
  const answer = why(factsWith({}, { partitions: [partitionOf(0, 500, head)] }));
  assert.deepEqual([answer.state, answer.cause], ["running", null]);
  const check = answer.checks.find(({ name }) => name === "head");
  assert.equal(check?.state, "trouble");
  assert.match(check?.text ?? "", /tickets\/0\/10 was tried 6 times/);
});
