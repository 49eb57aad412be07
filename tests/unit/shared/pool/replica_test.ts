import assert from "node:assert/strict";
import fc from "fast-check";
import { FAILURES_MAX, Replica } from "../../../../shared/pool/replica.ts";
import type { Outcome } from "../../../../shared/outcome.ts";

const ok: Outcome = { kind: "answer", status: 200 };
const full: Outcome = { kind: "answer", status: 503, retryAfterMs: 2000 };
const error: Outcome = { kind: "answer", status: 500 };
const refused: Outcome = { kind: "refused", detail: "" };
const yes = () => true;
const no = () => false;

function busy(limitMax: number, attempts: number): Replica {
  const replica = new Replica("http://a", limitMax);
  for (let each = 0; each < attempts; each++) replica.recordStarted();
  return replica;
}

Deno.test("Replica takes attempts up to its limit", () => {
  const replica = busy(2, 1);
  assert.equal(replica.isFree(0), true);
  replica.recordStarted();
  assert.equal(replica.isFree(0), false);
  assert.equal(replica.permits(0), 2);
});

Deno.test("Replica that is full while it has attempts in flight shrinks to what it holds, and grows back", () => {
  const replica = busy(8, 4);
  replica.recordFinished(full, 1, yes, 0);
  assert.equal(replica.limit, 3);
  assert.equal(replica.permits(0), 3);
  for (let each = 0; each < 40; each++) {
    replica.recordStarted();
    replica.recordFinished(ok, 1, yes, 0);
  }
  assert.equal(replica.limit, 8);
});

Deno.test("Replica that is full while idle rests for its Retry-After", () => {
  const replica = busy(8, 1);
  replica.recordFinished(full, 1, yes, 100);
  assert.equal(replica.permits(2099), 0);
  assert.equal(replica.permits(2100), 8);
});

Deno.test("Replica is ejected after failures in a row, and comes back with one permit", () => {
  const replica = busy(8, FAILURES_MAX);
  for (let each = 0; each < FAILURES_MAX; each++) replica.recordFinished(refused, 1, no, 0);
  assert.equal(replica.ejected, true);
  assert.equal(replica.permits(0), 0);
  replica.readmit();
  assert.equal(replica.permits(0), 1);
});

Deno.test("Replica is not ejected for 5xx that all replicas give, nor when a success comes between", () => {
  const alone = busy(8, FAILURES_MAX);
  for (let each = 0; each < FAILURES_MAX; each++) alone.recordFinished(error, 1, no, 0);
  assert.equal(alone.ejected, false);
  const mixed = busy(8, 5);
  for (const outcome of [error, error, ok, error, error]) mixed.recordFinished(outcome, 1, yes, 0);
  assert.equal(mixed.ejected, false);
});

Deno.test("Replica that leaves gets nothing new, but its attempts are counted to their end", () => {
  const replica = busy(8, 1);
  replica.setLeaving(true);
  assert.equal(replica.isFree(0), false);
  replica.recordFinished(ok, 1, yes, 0);
  assert.equal(replica.inFlight, 0);
});

Deno.test("Replica's limit stays between one and its maximum, whatever its attempts come to", () => {
  const step = fc.constantFrom("start", "ok", "full", "error", "readmit");
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), fc.integer({ min: 1, max: 20 }), (steps, limitMax) => {
      const replica = new Replica("http://a", limitMax);
      let out = 0;
      for (const [nowMs, step] of steps.entries()) {
        if (step === "start" && replica.isFree(nowMs)) {
          replica.recordStarted();
          out += 1;
        } else if (step === "readmit") replica.readmit();
        else if (out > 0 && step !== "start") {
          replica.recordFinished({ ok, full, error }[step], 5, yes, nowMs);
          out -= 1;
        }
        assert.equal(replica.inFlight, out);
        assert.ok(replica.limit >= 1 && replica.limit <= limitMax, `limit ${replica.limit}`);
        assert.ok([0, replica.limit].includes(replica.permits(nowMs)));
      }
    }),
  );
});

Deno.test("Replica that alone refuses how it is called is ejected, and on its return one more refusal is enough", () => {
  const refusal = { kind: "answer", status: 401 } as const;
  const replica = busy(8, FAILURES_MAX);
  for (let each = 0; each < FAILURES_MAX; each++) replica.recordFinished(refusal, 1, yes, 0);
  assert.equal(replica.ejected, true);
  replica.readmit();
  replica.recordStarted();
  replica.recordFinished(refusal, 1, yes, 0);
  assert.equal(replica.ejected, true);
});
