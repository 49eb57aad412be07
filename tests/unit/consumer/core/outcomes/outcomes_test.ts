// Each row of the status contract, as the machine lives by it.

import assert from "node:assert/strict";
import { STATUS_CONTRACT } from "../../../../../shared/contract/status_contract.ts";
import type { Outcome } from "../../../../../shared/contract/outcome.ts";
import { Ledger } from "../../../../../consumer/core/offsets/ledger.ts";
import {
  type Attempted,
  encodeOffsetMap,
  METADATA_BYTES_MAX,
} from "../../../../../consumer/core/offsets/offset_map.ts";
import { Driver, recordAt, status } from "../fixtures.ts";

/** An outcome of every kind, by the name of its rule. */
const EXAMPLES: Readonly<Record<string, readonly Outcome[]>> = {
  "action-settle": [status(500, { action: "settle" }), status(422, { action: "settle" })],
  "action-retry": [status(200, { action: "retry" }), status(422, { action: "retry" })],
  "action-dead-letter": [status(200, { action: "dead-letter" }), status(500, { action: "dead-letter" })],
  "success": [status(200), status(204), status(299)],
  "rejected": [400, 413, 415, 422].map((code) => status(code)),
  "ticket-not-found": [status(404, { problemType: "https://ackpool.dev/problems/ticket-not-found" })],
  "misconfigured": [301, 302, 308, 401, 403, 404, 405, 501].map((code) => status(code)),
  "held": [status(409, { retryAfterMs: 5000 }), status(425)],
  "rate-limited": [status(429, { retryAfterMs: 5000 }), status(429)],
  "replica-full": [status(503, { retryAfterMs: 5000 })],
  "failed": [
    ...[408, 500, 502, 503, 504, 507, 418].map((code) => status(code)),
    { kind: "timeout", detail: "" },
    { kind: "reset", detail: "" },
    { kind: "refused", detail: "" },
  ],
};

/** A machine in a healthy pool that has just sent offset 20. */
function atWork(): Driver {
  const driver = new Driver().assign({});
  driver.receive(Array.from({ length: 20 }, (_, offset) => recordAt(offset)));
  while (driver.all.filter(({ type }) => type === "send").length < 20) {
    const open = driver.machine.view.partitions[0]?.head?.offset ?? -1;
    driver.finish(open, status(200));
  }
  while (driver.machine.view.inFlight > 0) {
    driver.finish(driver.machine.view.partitions[0]?.head?.offset ?? -1, status(200));
  }
  driver.receive([recordAt(20)]);
  assert.deepEqual(driver.sent, [20]);
  return driver;
}

Deno.test("every rule of the status contract has an example here", () => {
  assert.deepEqual(Object.keys(EXAMPLES), STATUS_CONTRACT.map(({ name }) => name));
});

for (const rule of STATUS_CONTRACT) {
  for (const outcome of EXAMPLES[rule.name] ?? []) {
    const said = outcome.kind === "answer" ? `${outcome.status}` : outcome.kind;
    const action = outcome.kind === "answer" && outcome.action ? ` with ${outcome.action}` : "";
    Deno.test(`Machine answers ${said}${action} (${rule.name}) with ${rule.disposition}`, () => {
      const driver = atWork();
      const delivery = driver.delivery(20);
      driver.finish(20, outcome);
      const { pause } = driver.machine.view;
      assert.equal(delivery.state === "settled", rule.disposition === "settle");
      assert.equal(driver.got("dead_letter").length, rule.disposition === "dead_letter" ? 1 : 0);
      // Others go through: a refusal of how we call is this record's own affair then, and pauses nobody else.
      assert.equal(pause, undefined);
      // A refused connection never reached a worker: it is nobody's poison.
      const counts = rule.disposition === "retry" && rule.counts !== "never" && outcome.kind !== "refused";
      assert.equal(delivery.attemptsCounted, counts ? 1 : 0);
      // Another replica is tried at once; everything else that is retried waits.
      assert.equal(driver.sent.length, rule.slows === "replica" ? 1 : 0);
      const waits = rule.disposition === "pause" ||
        (rule.disposition === "retry" && rule.slows !== "replica");
      assert.equal(delivery.state === "waiting", waits);
    });
  }
}

for (const code of [409, 425, 429, 500, 408]) {
  Deno.test(`Machine waits for Retry-After on ${code}, as long as it may`, () => {
    const driver = atWork();
    driver.finish(20, status(code, { retryAfterMs: 60_000 }));
    driver.pass(59_999);
    assert.deepEqual(driver.sent, []);
    driver.pass(1);
    assert.deepEqual(driver.sent, [20]);
    driver.finish(20, status(code, { retryAfterMs: 86_400_000 }));
    if (driver.got("check_readiness").length > 0) driver.feed({ type: "readiness_checked", ready: true });
    driver.pass(300_000);
    assert.deepEqual(driver.sent, [20]);
  });
}

Deno.test("Machine backs off where Retry-After says at once, so that nothing spins", () => {
  for (const code of [409, 429, 500]) {
    const driver = atWork();
    driver.finish(20, status(code, { retryAfterMs: 0 }));
    assert.deepEqual(driver.sent, [], String(code));
    driver.pass(1000);
    assert.deepEqual(driver.sent, [20], String(code));
  }
});

Deno.test("Machine tries another replica at once when one is full, and waits a little when that is full too", () => {
  const driver = atWork();
  driver.finish(20, status(503, { retryAfterMs: 0 }));
  assert.deepEqual(driver.sent, [20]);
  driver.finish(20, status(503, { retryAfterMs: 0 }));
  assert.deepEqual(driver.sent, []);
  driver.pass(1000);
  assert.deepEqual(driver.sent, [20]);
  assert.equal(driver.delivery(20).attemptsCounted, 0);
});

Deno.test("Machine dead-letters a poison record after the last attempt, and says how it came to that", () => {
  const driver = atWork();
  for (let attempt = 1; attempt <= 3; attempt++) {
    driver.finish(20, status(500));
    if (driver.delivery(20).state === "judging") driver.feed({ type: "readiness_checked", ready: true });
    if (attempt < 3) driver.pass(60_000);
  }
  assert.deepEqual(driver.got("dead_letter").map(({ reason }) => reason), ["attempts-exhausted"]);
});

Deno.test("Machine dead-letters a ticket that never comes with a reason of its own", () => {
  const driver = atWork();
  const [missing] = EXAMPLES["ticket-not-found"] ?? [];
  assert.ok(missing !== undefined);
  for (let attempt = 1; attempt <= 3; attempt++) {
    driver.finish(20, missing);
    if (attempt < 3) driver.pass(60_000);
  }
  assert.deepEqual(driver.got("dead_letter").map(({ reason }) => reason), ["ticket-not-found"]);
});

Deno.test("Machine says whether a dead letter was refused or asked for", () => {
  const asked = atWork();
  asked.finish(20, status(200, { action: "dead-letter" }));
  assert.equal(asked.got("dead_letter")[0]?.reason, "asked-by-worker");
  const rejected = atWork();
  rejected.finish(20, status(422));
  assert.equal(rejected.got("dead_letter")[0]?.reason, "rejected");
});

for (const code of [401, 404, 302]) {
  const outcome = status(code);
  Deno.test(`Machine pauses on ${code} where nothing else goes through, and goes on when a probe does`, () => {
    const driver = new Driver().assign({});
    driver.receive([recordAt(0), recordAt(1), recordAt(2)]);
    for (const offset of [0, 1, 2]) driver.finish(offset, outcome);
    assert.equal(driver.machine.view.pause?.cause, "misconfigured");
    assert.equal(driver.delivery(0).attemptsCounted + driver.delivery(1).attemptsCounted, 0);
    driver.receive([recordAt(3)]);
    driver.pass(30_000);
    driver.finish(3, status(200));
    assert.equal(driver.machine.view.pause, undefined);
  });

  Deno.test(`Machine lets a lone record that is answered ${code} back off, for as long as the replicas are ready`, () => {
    const driver = new Driver().assign({}).receive([recordAt(0)]);
    for (let attempt = 0; attempt < 10; attempt++) {
      driver.finish(0, outcome);
      assert.equal(driver.got("check_readiness").length, 1);
      driver.feed({ type: "readiness_checked", ready: true });
      assert.equal(driver.machine.view.pause, undefined);
      driver.pass(30_000);
    }
    assert.deepEqual([driver.delivery(0).attemptsCounted, driver.got("dead_letter").length], [0, 0]);
    driver.receive([recordAt(1)]);
    assert.deepEqual(driver.sent, [1]);
  });

  Deno.test(`Machine pauses on a lone ${code} where the replicas say that they are not ready`, () => {
    const driver = new Driver().assign({}).receive([recordAt(0)]);
    driver.finish(0, outcome);
    driver.feed({ type: "readiness_checked", ready: false });
    const { pause } = driver.machine.view;
    assert.deepEqual([pause?.cause, pause?.last], ["misconfigured", outcome]);
  });
}

Deno.test("Machine goes on beside records that are refused for ever, however many they are and however idle the topic", () => {
  const driver = new Driver().assign({});
  for (let offset = 0; offset < 10; offset++) {
    driver.receive([recordAt(offset)]).finish(offset, status(offset % 2 === 0 ? 403 : 200));
    driver.feed({ type: "readiness_checked", ready: true });
    for (let passed = 0; passed < 3; passed++) {
      driver.pass(60_000);
      for (const again of driver.sent) driver.finish(again, status(403));
      driver.feed({ type: "readiness_checked", ready: true });
    }
    assert.equal(driver.machine.view.pause, undefined);
  }
});

Deno.test("Machine pauses at once where three are refused in a row and the replicas say that they are not ready", () => {
  const driver = atWork();
  driver.receive([recordAt(21), recordAt(22)]);
  driver.finish(20, status(403));
  driver.finish(21, status(403));
  assert.equal(driver.got("check_readiness").length, 0);
  driver.finish(22, status(403));
  assert.equal(driver.got("check_readiness").length, 1);
  driver.feed({ type: "readiness_checked", ready: false });
  assert.equal(driver.machine.view.pause?.cause, "misconfigured");
});

Deno.test("Machine pauses where one record after another is refused in order, and the first holds the others back", () => {
  const driver = new Driver({ mode: "partition" }).assign({}).receive([recordAt(0), recordAt(1)]);
  for (let attempt = 1; attempt <= 3; attempt++) {
    driver.finish(0, status(401));
    driver.feed({ type: "readiness_checked", ready: true });
    if (attempt < 3) driver.pass(30_000);
  }
  assert.equal(driver.machine.view.pause?.cause, "misconfigured");
});

Deno.test("Machine pauses soon when all that went through is suddenly refused, and dead-letters nothing", () => {
  const driver = atWork();
  driver.finish(20, status(401));
  for (let offset = 21; driver.machine.view.pause === undefined; offset++) {
    assert.ok(offset < 60, "a pool that refuses everything is not paused");
    driver.receive([recordAt(offset)]);
    driver.finish(offset, status(401));
  }
  assert.equal(driver.got("dead_letter").length, 0);
});

for (const code of [409, 425, 429]) {
  Deno.test(`Machine counts ${code} against a record that got it for an hour while others settled`, () => {
    const driver = new Driver({ retryAgeMaxMs: 3_600_000 }).assign({}).receive([recordAt(0)]);
    driver.finish(0, status(code, { retryAfterMs: 1000 }));
    let offset = 0;
    const untilMs = driver.nowMs + 3_600_000;
    while (driver.got("dead_letter").length === 0 && offset < 1000) {
      driver.receive([recordAt(++offset)]);
      driver.finish(offset, status(200));
      driver.pass(30_000);
      assert.deepEqual(driver.sent, [0]);
      const counted = driver.delivery(0).attemptsCounted;
      if (driver.nowMs < untilMs) assert.equal(counted, 0);
      driver.finish(0, status(code, { retryAfterMs: 1000 }));
    }
    assert.deepEqual(driver.got("dead_letter").map(({ reason }) => reason), ["attempts-exhausted"]);
    assert.ok(driver.nowMs >= untilMs && driver.nowMs < untilMs + 300_000);
  });
}

Deno.test("Machine goes on with the hour of a record that an earlier owner was told to send later", () => {
  const ledger = new Ledger<Attempted>(0);
  ledger.markStarted(ledger.receive(0, { attemptsCounted: 0, refusedSinceMs: 0 }));
  for (const metadata of [encodeOffsetMap(ledger, METADATA_BYTES_MAX, 59 * 60_000), null]) {
    const driver = new Driver().assign({ metadata }).receive([0, 1, 2].map((offset) => recordAt(offset)));
    driver.finish(0, status(429, { retryAfterMs: 1000 }));
    driver.finish(1, status(200));
    driver.pass(61_000);
    driver.finish(2, status(200));
    driver.finish(0, status(429, { retryAfterMs: 1000 }));
    assert.equal(driver.delivery(0).attemptsCounted, metadata === null ? 0 : 1);
  }
});

Deno.test("Machine counts no 429 of an hour in which nothing else settled", () => {
  const driver = new Driver({ retryAgeMaxMs: 3_600_000 }).assign({}).receive([recordAt(0)]);
  for (let minute = 0; minute < 120; minute++) {
    driver.finish(0, status(429, { retryAfterMs: 60_000 }));
    driver.pass(60_000);
  }
  assert.equal(driver.delivery(0).attemptsCounted, 0);
});

Deno.test("Machine lets a record back off alone that is told to come again soon while others settle", () => {
  const driver = new Driver({ retryAgeMaxMs: 3_600_000 }).assign({}).receive([recordAt(0)]);
  const waits: number[] = [];
  for (let round = 1; round < 12; round++) {
    driver.finish(0, status(429, { retryAfterMs: 10 }));
    const [notice] = driver.got("notice").map(({ notice }) => notice);
    waits.push(notice?.kind === "retrying" ? notice.waitMs : NaN);
    driver.receive([recordAt(round)]);
    driver.finish(round, status(200));
    driver.pass(30_000);
  }
  assert.equal(waits[0], 10);
  assert.equal(waits.at(-1), 15_000);
});

Deno.test("Machine holds no record of a partition that went until its retry would have been due", () => {
  const driver = new Driver().assign({}).receive([recordAt(0), recordAt(1)]);
  driver.finish(0, status(429, { retryAfterMs: 300_000 }));
  assert.equal(driver.machine.view.waiting, 1);
  driver.feed({ type: "revoked", partitions: [{ topic: "t", partition: 0 }] });
  assert.equal(driver.machine.view.waiting, 0);
});

/** Which partitions are paused, by what was asked of the source. */
function pausedPartitions(driver: Driver): number[] {
  const paused = new Set<number>();
  for (const command of driver.all) {
    if (command.type === "pause") paused.add(command.partition.partition);
    if (command.type === "resume") paused.delete(command.partition.partition);
  }
  return [...paused].sort();
}

Deno.test("Machine stops nobody for dead letters that wait, however many bytes more than the bound they have", () => {
  const config = { bounds: { records: 10_000, bytes: 1000 }, deadLetters: { burst: 1, share: 0 } };
  const driver = new Driver(config, 100).assign({}, { partition: 1 });
  for (let offset = 0; offset < 20; offset++) {
    driver.receive([recordAt(offset, { bytes: 95 })]);
    driver.finish(offset, status(422));
  }
  assert.equal(driver.machine.view.deadLettersWaiting, 19);
  assert.deepEqual(pausedPartitions(driver), []);
  driver.receive([recordAt(0)], 1);
  assert.deepEqual(driver.sent, [0]);
});

Deno.test("Machine stops the partition alone whose own dead letters fill their share of the memory", () => {
  const config = { bounds: { records: 10_000, bytes: 1000 }, deadLetters: { burst: 1, share: 0 } };
  const driver = new Driver(config, 100).assign({}, { partition: 1 });
  for (let offset = 0; offset < 30; offset++) {
    driver.receive([recordAt(offset, { bytes: 95 })]);
    driver.finish(offset, status(422));
  }
  assert.deepEqual(pausedPartitions(driver), [0]);
  driver.feed({ type: "dead_letters_allowed", count: 30 });
  for (let offset = 0; offset < 30; offset++) {
    driver.feed({ type: "dead_letter_written", delivery: driver.delivery(offset) });
  }
  assert.deepEqual(pausedPartitions(driver), []);
});

Deno.test("Machine goes on with a partition half of whose share of records waits to be dead-lettered", () => {
  const config = { bounds: { records: 100, bytes: 1e9 }, deadLetters: { burst: 1, share: 0 } };
  const driver = new Driver(config, 100).assign({});
  driver.receive(Array.from({ length: 100 }, (_, offset) => recordAt(offset)));
  for (let offset = 0; offset < 60; offset++) driver.finish(offset, status(422));
  for (let offset = 60; offset < 100; offset++) driver.finish(offset, status(200));
  assert.equal(driver.machine.view.deadLettersWaiting, 59);
  assert.deepEqual(pausedPartitions(driver), []);
});
