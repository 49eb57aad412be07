import assert from "node:assert/strict";
import fc from "fast-check";
import { ruleFor } from "../../../../../shared/contract/status_contract.ts";
import { FAILURES_MAX, Replica } from "../../../../../shared/pool/replicas/replica.ts";
import type { Outcome } from "../../../../../shared/contract/outcome.ts";

const ok: Outcome = { kind: "answer", status: 200 };
const full: Outcome = { kind: "answer", status: 503, retryAfterMs: 2000 };
const error: Outcome = { kind: "answer", status: 500 };
const refused: Outcome = { kind: "refused", detail: "" };
const yes = () => true;
const no = () => false;

/** One attempt comes back, sent when the one before it ended. */
function end(replica: Replica, outcome: Outcome, standsOut: () => boolean, nowMs: number): void {
  replica.recordFinished({ outcome, rule: ruleFor(outcome), sentMs: nowMs - 1, tookMs: 1, nowMs, standsOut });
}

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
  end(replica, full, yes, 0);
  assert.equal(replica.limit(0), 3);
  assert.equal(replica.permits(0), 3);
  let nowMs = 0;
  while (replica.limit(nowMs) < 8 && nowMs < 60_000) {
    while (replica.isFree(nowMs)) replica.recordStarted();
    end(replica, ok, yes, nowMs += 100);
  }
  assert.ok(nowMs < 5000, `took ${nowMs} ms`);
});

Deno.test("Replica that is full while idle rests for its Retry-After", () => {
  const replica = busy(8, 1);
  end(replica, full, yes, 100);
  assert.equal(replica.permits(2099), 0);
  assert.equal(replica.permits(2100), 8);
});

Deno.test("Replica is ejected after failures in a row, and comes back with one permit", () => {
  const replica = busy(8, FAILURES_MAX);
  for (let each = 0; each < FAILURES_MAX; each++) end(replica, refused, no, 0);
  assert.equal(replica.ejected, true);
  assert.equal(replica.permits(0), 0);
  replica.readmit();
  assert.equal(replica.permits(0), 1);
});

Deno.test("Replica is not ejected for 5xx that all replicas give, nor when a success comes between", () => {
  const alone = busy(8, FAILURES_MAX);
  for (let each = 0; each < FAILURES_MAX; each++) end(alone, error, no, 0);
  assert.equal(alone.ejected, false);
  const mixed = busy(8, 5);
  for (const outcome of [error, error, ok, error, error]) end(mixed, outcome, yes, 0);
  assert.equal(mixed.ejected, false);
});

Deno.test("Replica that leaves gets nothing new, but its attempts are counted to their end", () => {
  const replica = busy(8, 1);
  replica.setLeaving(true);
  assert.equal(replica.isFree(0), false);
  end(replica, ok, yes, 0);
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
          end(replica, { ok, full, error }[step], yes, nowMs);
          out -= 1;
        }
        assert.equal(replica.inFlight, out);
        const limit = replica.limit(nowMs);
        assert.ok(limit >= 1 && limit <= limitMax, `limit ${limit}`);
        assert.ok([0, limit].includes(replica.permits(nowMs)));
      }
    }),
  );
});

Deno.test("Replica that alone refuses how it is called is ejected, and on its return one more refusal is enough", () => {
  const refusal = { kind: "answer", status: 401 } as const;
  const replica = busy(8, FAILURES_MAX);
  for (let each = 0; each < FAILURES_MAX; each++) end(replica, refusal, yes, 0);
  assert.equal(replica.ejected, true);
  replica.readmit();
  replica.recordStarted();
  end(replica, refusal, yes, 0);
  assert.equal(replica.ejected, true);
});
