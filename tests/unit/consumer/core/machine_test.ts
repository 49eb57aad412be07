// The machine's promises, one schedule each; the simulation plays thousands of others.

import assert from "node:assert/strict";
import { causesOf } from "../../../../consumer/core/causes.ts";
import { decodeOffsetMap, entriesMax } from "../../../../consumer/core/offsets/offset_map.ts";
import { SUSPECTS_ONLY_MS } from "../../../../consumer/core/outcomes/judge.ts";
import { TOKEN_EVERY_MS } from "../../../../consumer/core/policies/dead_letter_budget.ts";
import { Driver, recordAt, status } from "./fixtures.ts";

const records = (count: number, from = 0) =>
  Array.from({ length: count }, (_, each) => recordAt(from + each));
const failing = status(500);
const causeNames = (driver: Driver) => causesOf(driver.machine.view).map(({ name }) => name);

/** A machine whose breaker has opened on `count` records that all failed. */
function inOutage(count = 6): Driver {
  const driver = new Driver({}, count).assign({}).receive(records(count));
  for (let offset = 0; offset < count; offset++) driver.finish(offset, failing);
  driver.feed({ type: "readiness_checked", ready: false });
  assert.equal(driver.machine.view.pause?.cause, "outage");
  return driver;
}

Deno.test("Machine sends as many records as there are permits, and a successor within the same event", () => {
  const driver = new Driver({}, 2).assign({}).receive(records(4));
  assert.deepEqual(driver.sent, [0, 1]);
  driver.finish(1, status(200));
  assert.deepEqual(driver.sent, [2]);
});

Deno.test("Machine commits the watermark, with what is settled above it in the map", () => {
  const driver = new Driver().assign({}).receive(records(3));
  driver.finish(1, status(200));
  assert.deepEqual(driver.committed, { "t/0": 0 });
  driver.answerCommit(true);
  driver.finish(0, status(200));
  assert.deepEqual(driver.committed, {});
  driver.pass(1000);
  assert.deepEqual(driver.committed, { "t/0": 2 });
});

Deno.test("Machine skips what an earlier owner settled and goes on counting its attempts", () => {
  const first = new Driver().assign({}).receive(records(3));
  first.finish(2, status(200));
  first.finish(1, status(404, { problemType: "ticket-not-found" }));
  first.answerCommit(true);
  first.pass(1000);
  const [line] = first.got("commit").flatMap(({ commit }) => commit.marks);
  assert.ok(line !== undefined);
  const second = new Driver().assign(line.mark).receive(records(3));
  assert.deepEqual(second.sent, [0, 1]);
  assert.equal(second.delivery(1).attemptsCounted, 1);
  assert.equal(second.delivery(1).attemptsSent, 2);
});

Deno.test("Machine ignores metadata that is not its own, with a notice", () => {
  const driver = new Driver().assign({ metadata: "somebody else's" });
  const notices = driver.got("notice").map(({ notice }) => notice.kind);
  assert.deepEqual(notices, ["map_untrusted"]);
  driver.receive(records(1));
  assert.deepEqual(driver.sent, [0]);
});

Deno.test("Machine ignores a second fetch of what it holds already", () => {
  const driver = new Driver().assign({}).receive(records(2)).receive(records(3));
  assert.deepEqual(driver.sent, [2]);
});

Deno.test("Machine ignores records of another epoch and of partitions that are not its own", () => {
  const driver = new Driver().assign({});
  assert.deepEqual(driver.receive(records(1), 0, 7).sent, []);
  assert.deepEqual(driver.receive(records(1), 3).sent, []);
});

Deno.test("Machine drops the result of a revoked partition and gives its permit to another", () => {
  const driver = new Driver({}, 1).assign({}, { partition: 1 });
  driver.receive(records(1), 0).receive(records(1), 1);
  driver.feed({ type: "revoked", partitions: [{ topic: "t", partition: 0 }] });
  assert.deepEqual(driver.sent, []);
  driver.finish(0, status(200), 0);
  assert.equal(driver.got("send")[0]?.delivery.partition.partition, 1);
  assert.deepEqual(driver.committed, {});
});

Deno.test("Machine loses no attempt in an outage and probes one record at a time with growing pauses", () => {
  const driver = inOutage();
  const probes: number[] = [];
  for (let each = 0; each < 5; each++) {
    const wakeMs = driver.machine.wakeAtMs(driver.nowMs) ?? NaN;
    probes.push(wakeMs - driver.nowMs);
    driver.pass(wakeMs - driver.nowMs);
    const [offset, ...more] = driver.sent;
    assert.deepEqual(more, []);
    driver.finish(offset ?? -1, failing);
  }
  assert.deepEqual(probes, [500, 1000, 2000, 4000, 8000]);
  for (let offset = 0; offset < 6; offset++) assert.equal(driver.delivery(offset).attemptsCounted, 0);
});

Deno.test("Machine resumes with everything when a probe comes through", () => {
  const driver = inOutage();
  driver.pass(500);
  driver.finish(driver.sent[0] ?? -1, status(200));
  assert.equal(driver.machine.view.pause, undefined);
  // Those that failed in it have half of the permits.
  assert.equal(driver.sent.length, 3);
});

Deno.test("Machine probes at once when a replica comes up where there was none", () => {
  const driver = inOutage();
  driver.feed({ type: "permits_changed", permits: 0 });
  assert.equal(driver.machine.wakeAtMs(driver.nowMs), undefined);
  driver.feed({ type: "permits_changed", permits: 4 });
  assert.equal(driver.sent.length, 1);
});

Deno.test("Machine sends no probe without a permit for it, and does not ask to be woken for it", () => {
  const driver = new Driver({}, 7).assign({}).receive(records(7));
  for (let offset = 0; offset < 6; offset++) driver.finish(offset, failing);
  driver.feed({ type: "readiness_checked", ready: false });
  driver.feed({ type: "permits_changed", permits: 1 });
  driver.pass(10_000);
  assert.deepEqual(driver.sent, []);
  assert.equal(driver.machine.wakeAtMs(driver.nowMs), undefined);
  driver.finish(6, failing);
  assert.equal(driver.sent.length, 1);
});

Deno.test("Machine asks the replicas about a lone record, and opens the breaker when they say no", () => {
  const driver = new Driver().assign({}).receive(records(1));
  driver.finish(0, failing);
  assert.equal(driver.got("check_readiness").length, 1);
  driver.feed({ type: "readiness_checked", ready: false });
  assert.equal(driver.machine.view.pause?.cause, "outage");
  assert.equal(driver.delivery(0).attemptsCounted, 0);
});

Deno.test("Machine does not count an attempt on the word of /readyz when delivery was paused meanwhile", () => {
  const driver = new Driver().assign({}).receive(records(4));
  driver.finish(0, failing);
  for (const offset of [1, 2, 3]) driver.finish(offset, status(401));
  driver.feed({ type: "readiness_checked", ready: true });
  assert.equal(driver.delivery(0).attemptsCounted, 0);
});

Deno.test("Machine counts a lone record's failures only on the word of /readyz, whatever was well before", () => {
  const driver = new Driver({}, 1).assign({}).receive(records(21));
  for (let offset = 0; offset < 20; offset++) driver.finish(offset, status(200));
  driver.finish(20, failing);
  assert.equal(driver.delivery(20).attemptsCounted, 1);
  driver.pass(500);
  driver.finish(20, failing);
  assert.equal(driver.got("check_readiness").length, 1);
  assert.equal(driver.delivery(20).attemptsCounted, 1);
});

Deno.test("Machine never counts a refused connection, which reached no worker, and backs off", () => {
  const refused = { kind: "refused", detail: "ECONNREFUSED" } as const;
  const driver = new Driver({}, 1).assign({}).receive(records(2));
  driver.finish(0, status(200));
  driver.finish(1, refused);
  assert.equal(driver.delivery(1).state, "waiting");
  driver.pass(60_000);
  driver.finish(1, refused);
  driver.feed({ type: "readiness_checked", ready: true });
  assert.equal(driver.delivery(1).state, "waiting");
  assert.equal(driver.delivery(1).attemptsCounted, 0);
});

Deno.test("Machine judges a failure after a misconfiguration afresh instead of calling it an outage", () => {
  const driver = new Driver().assign({}).receive(records(1));
  driver.finish(0, status(401));
  driver.feed({ type: "readiness_checked", ready: false });
  driver.pass(500);
  driver.finish(0, status(500));
  assert.equal(driver.machine.view.pause, undefined);
  assert.equal(driver.got("check_readiness").length, 1);
});

Deno.test("Machine finds out in the end that only bad records are left, so nothing blocks for ever", () => {
  const driver = inOutage();
  const untilMs = driver.nowMs + SUSPECTS_ONLY_MS + 6 * 3 * 60_000;
  let deadLetters = 0;
  while (driver.nowMs < untilMs && deadLetters < 6) {
    driver.pass((driver.machine.wakeAtMs(driver.nowMs) ?? untilMs) - driver.nowMs);
    for (const { delivery } of driver.got("dead_letter")) {
      deadLetters += 1;
      driver.feed({ type: "dead_letter_written", delivery });
    }
    for (const offset of driver.sent) driver.finish(offset, status(500));
    if (driver.got("check_readiness").length > 0) driver.feed({ type: "readiness_checked", ready: true });
    for (const { delivery } of driver.got("dead_letter")) {
      deadLetters += 1;
      driver.feed({ type: "dead_letter_written", delivery });
    }
  }
  assert.equal(deadLetters, 6);
});

Deno.test("Machine commits nothing of a dead letter before the broker has confirmed it", () => {
  const driver = new Driver().assign({}).receive(records(1));
  driver.finish(0, status(422));
  const [letter] = driver.got("dead_letter");
  assert.ok(letter !== undefined);
  driver.pass(5000);
  assert.deepEqual(driver.committed, {});
  driver.feed({ type: "dead_letter_written", delivery: letter.delivery });
  assert.deepEqual(driver.committed, { "t/0": 1 });
});

Deno.test("Machine writes a dead letter again when the broker did not confirm, without paying twice", () => {
  const driver = new Driver({ deadLetters: { burst: 1, share: 0 } }).assign({}).receive(records(1));
  driver.finish(0, status(422));
  const [letter] = driver.got("dead_letter");
  assert.ok(letter !== undefined);
  driver.feed({ type: "dead_letter_failed", delivery: letter.delivery });
  assert.deepEqual(causeNames(driver), ["dead-letter-topic-unavailable"]);
  driver.pass(1000);
  assert.equal(driver.got("dead_letter").length, 1);
});

Deno.test("Machine has no cause left when what could not be dead-lettered went with its partition", () => {
  const driver = new Driver({}).assign({}).receive(records(1));
  driver.finish(0, status(422));
  const [letter] = driver.got("dead_letter");
  assert.ok(letter !== undefined);
  driver.feed({ type: "dead_letter_failed", delivery: letter.delivery });
  driver.feed({ type: "revoked", partitions: [{ topic: "t", partition: 0 }] });
  driver.pass(1000);
  assert.deepEqual([driver.got("dead_letter"), causeNames(driver)], [[], []]);
});

Deno.test("Machine lets dead letters wait when their tokens are spent, says so, and one through every ten seconds", () => {
  const driver = new Driver({ deadLetters: { burst: 1, share: 0 } }).assign({}).receive(records(3));
  for (let offset = 0; offset < 3; offset++) driver.finish(offset, status(422));
  assert.deepEqual(causeNames(driver), ["dead-letter-flood"]);
  driver.pass(TOKEN_EVERY_MS);
  assert.equal(driver.got("dead_letter").length, 1);
  driver.feed({ type: "dead_letters_allowed", count: 5 });
  assert.equal(driver.got("dead_letter").length, 1);
  assert.deepEqual(causeNames(driver), []);
});

Deno.test("Machine forgets dead letters that wait for a token when their partition goes", () => {
  const driver = new Driver({ deadLetters: { burst: 1, share: 0 } }).assign({}, { partition: 1 });
  driver.receive(records(3), 0).receive(records(1), 1);
  for (let offset = 0; offset < 3; offset++) driver.finish(offset, status(422), 0);
  driver.finish(0, status(422), 1);
  assert.equal(driver.machine.view.deadLettersWaiting, 3);
  driver.feed({ type: "revoked", partitions: [{ topic: "t", partition: 0 }] });
  assert.equal(driver.machine.view.deadLettersWaiting, 1);
  driver.pass(TOKEN_EVERY_MS);
  assert.deepEqual(driver.got("dead_letter").map(({ delivery }) => delivery.partition.partition), [1]);
  assert.deepEqual(causeNames(driver), []);
});

Deno.test("Machine in key mode keeps a key's next record until the first is settled, through its retries", () => {
  const driver = new Driver({ mode: "key" }).assign({});
  driver.receive([
    recordAt(0, { key: "a" }),
    recordAt(1, { key: "a" }),
    recordAt(2, { key: "b" }),
    recordAt(3),
  ]);
  assert.deepEqual(driver.sent, [0, 2, 3]);
  driver.finish(0, status(409, { retryAfterMs: 1000 }));
  driver.pass(1000);
  assert.deepEqual(driver.sent, [0]);
  driver.finish(0, status(200));
  assert.deepEqual(driver.sent, [1]);
});

Deno.test("Machine in key mode waits for its own old attempts when a partition comes back to it", () => {
  const driver = new Driver({ mode: "key" }).assign({}).receive([recordAt(0, { key: "a" })]);
  const old = driver.delivery(0);
  driver.feed({ type: "revoked", partitions: [{ topic: "t", partition: 0 }] });
  driver.feed({
    type: "assigned",
    epoch: 2,
    partitions: [{ topic: "t", partition: 0, offset: 0, metadata: null }],
  });
  assert.deepEqual(driver.receive([recordAt(0, { key: "a" })], 0, 2).sent, []);
  driver.feed({ type: "attempt_finished", delivery: old, outcome: status(200) });
  assert.deepEqual(driver.sent, [0]);
});

Deno.test("Machine in sync mode gives a permit away only when its commit is confirmed", () => {
  const driver = new Driver({ commits: "sync" }, 1).assign({}).receive(records(2));
  driver.finish(0, status(200));
  assert.deepEqual(driver.sent, []);
  driver.answerCommit(false);
  assert.deepEqual(driver.sent, []);
  driver.pass(500);
  driver.answerCommit(true);
  assert.deepEqual(driver.sent, [1]);
});

Deno.test("Machine in batch and sync mode begins the next batch when the commit is confirmed, even with fewer permits than records", () => {
  const driver = new Driver({ mode: "batch", commits: "sync" }, 2).assign({}).receive(records(6));
  assert.deepEqual(driver.sent, [0, 1]);
  driver.finish(0, status(200));
  assert.deepEqual(driver.sent, [2]);
  driver.finish(1, status(200));
  driver.finish(2, status(200));
  assert.deepEqual(driver.sent, []);
  assert.deepEqual(driver.committed, { "t/0": 3 });
  driver.answerCommit(true);
  assert.deepEqual(driver.sent, [3, 4]);
});

Deno.test("Machine in batch mode lets a part-filled batch leave after its linger", () => {
  const driver = new Driver({ mode: "batch" }).assign({}).receive(records(2));
  assert.deepEqual(driver.sent, []);
  assert.equal(driver.machine.wakeAtMs(driver.nowMs), driver.nowMs + 1000);
  driver.pass(1000);
  assert.deepEqual(driver.sent, [0, 1]);
});

Deno.test("Machine in batch mode begins the next batch beside records that fail or wait to be dead-lettered", () => {
  const driver = new Driver({ mode: "batch", deadLetters: { burst: 0, share: 0 } }).assign({}).receive(
    records(6),
  );
  driver.finish(0, status(500));
  driver.finish(1, status(422));
  assert.deepEqual(driver.got("dead_letter"), [], "there is no token for it");
  driver.feed({ type: "readiness_checked", ready: true });
  driver.finish(2, status(200));
  assert.deepEqual(driver.sent, [3, 4, 5]);
  assert.deepEqual(driver.committed, { "t/0": 0 }, "what is settled is committed, above what is not");
  for (const offset of [3, 4, 5]) driver.finish(offset, status(200));
  driver.pass(10_000);
  assert.deepEqual(driver.sent, [0], "it is tried again, and no batch waits for it");
});

Deno.test("Machine in fast mode commits what was received, and takes that back when partitions may go or it stops", () => {
  for (const event of [{ type: "rebalancing" }, { type: "stop_requested" }] as const) {
    const driver = new Driver({ mode: "fast" }, 1).assign({}).receive(records(3));
    assert.deepEqual(driver.committed, { "t/0": 3 });
    driver.answerCommit(true);
    driver.feed(event);
    if (event.type === "stop_requested") driver.finish(0, status(200));
    assert.deepEqual(driver.committed, { "t/0": event.type === "stop_requested" ? 1 : 0 });
  }
});

Deno.test("Machine stops clean when what is in flight is finished and committed, and sends nothing new", () => {
  const driver = new Driver({}, 1).assign({}).receive(records(2));
  driver.feed({ type: "stop_requested" });
  assert.deepEqual(driver.got("stopped"), []);
  driver.finish(0, status(200));
  assert.deepEqual(driver.sent, []);
  assert.deepEqual(driver.committed, { "t/0": 1 });
  driver.answerCommit(true);
  assert.deepEqual(driver.got("stopped").map(({ clean }) => clean), [true]);
  assert.equal(driver.machine.wakeAtMs(driver.nowMs), undefined);
});

Deno.test("Machine stops when the grace is over, and says that it was not clean", () => {
  const driver = new Driver().assign({}).receive(records(1));
  driver.feed({ type: "stop_requested" });
  driver.pass(29_999);
  assert.deepEqual(driver.got("stopped"), []);
  driver.pass(1);
  assert.deepEqual(driver.got("stopped").map(({ clean }) => clean), [false]);
});

Deno.test("Machine is idle when nothing came for so long and nothing is left, retries included", () => {
  const driver = new Driver({ idleExitMs: 10_000 }).assign({}).receive(records(1));
  driver.finish(0, status(429, { retryAfterMs: 60_000 }));
  driver.pass(59_999);
  assert.deepEqual(driver.got("idle"), []);
  driver.pass(1);
  driver.finish(0, status(200));
  assert.equal(driver.got("idle").length, 1);
});

Deno.test("Machine is not idle before it was assigned anything, nor while the group rebalances", () => {
  const driver = new Driver({ idleExitMs: 10_000 });
  driver.pass(60_000);
  assert.deepEqual(driver.got("idle"), []);
  driver.assign({});
  driver.feed({ type: "rebalancing" });
  driver.pass(60_000);
  assert.deepEqual(driver.got("idle"), []);
});

Deno.test("Machine resumes a partition when the memory it waited for went with another", () => {
  const bounds = { records: 10_000, bytes: 150 };
  const driver = new Driver({ bounds }).assign({}, { partition: 1 }).receive(records(2));
  assert.deepEqual(driver.got("pause").map(({ partition }) => partition.partition), [0, 1]);
  driver.feed({ type: "revoked", partitions: [{ topic: "t", partition: 0 }] });
  assert.deepEqual(driver.got("resume").map(({ partition }) => partition.partition), [1]);
});

Deno.test("Machine lets the others go on for ever while one record holds the watermark", () => {
  const driver = new Driver({}, 4).assign({}).receive([recordAt(0)]);
  for (let first = 1; first < 50_000; first += 500) {
    driver.receive(records(500, first));
    for (let offset = first; offset < first + 500; offset++) driver.finish(offset, status(200));
  }
  assert.equal(driver.all.filter(({ type }) => type === "pause").length, 0);
  assert.deepEqual(causeNames(driver), []);
  driver.answerCommit(true);
  driver.pass(1000);
  const [mark] = driver.got("commit").flatMap(({ commit }) => commit.marks).map(({ mark }) => mark);
  assert.equal(mark?.offset, 0);
  const decoded = decodeOffsetMap(mark?.metadata, 0);
  assert.deepEqual(decoded.kind === "map" && decoded.map.settled, [[1, 50_000]]);
});

Deno.test("Machine starts no more records of a partition than its offset map has room for, and names the head", () => {
  const driver = new Driver({ maxAttempts: 1000 }, 5000).assign({}).receive(records(5000));
  const started = driver.sent.length;
  assert.equal(started, entriesMax(started - 1, 1000));
  const [cause] = causesOf(driver.machine.view);
  assert.equal(cause?.name, "stalled-head");
  assert.match(cause?.detail ?? "", /^t\/0 cannot run further ahead of offset 0: 0 attempts counted, 1 made/);
  driver.finish(0, status(200));
  assert.equal(driver.sent.length, 1);
});

Deno.test("Machine probes with a record that failed before where the offset map has no room for a new one", () => {
  const driver = new Driver({}, 5000).assign({}).receive(records(5000));
  const started = driver.sent.length;
  assert.ok(started < 5000);
  for (let offset = 0; offset < started; offset++) driver.finish(offset, failing);
  driver.feed({ type: "readiness_checked", ready: false });
  driver.pass(500);
  assert.equal(driver.sent.length, 1);
  assert.ok((driver.sent[0] ?? Infinity) < started);
});

Deno.test("Machine brings the next probe forward when a record comes that was never sent, and suspects only were left", () => {
  const driver = inOutage();
  for (let probe = 0; probe < 5; probe++) {
    driver.pass((driver.machine.wakeAtMs(driver.nowMs) ?? NaN) - driver.nowMs);
    driver.finish(driver.sent[0] ?? -1, failing);
  }
  assert.equal(driver.machine.wakeAtMs(driver.nowMs), driver.nowMs + 15_000);
  driver.receive(records(1, 6));
  assert.equal(driver.machine.wakeAtMs(driver.nowMs), driver.nowMs + 500);
  driver.pass(500);
  assert.deepEqual(driver.sent, [6]);
});

for (
  const [how, isBad] of [
    ["one after another", (n: number) => n < 1500],
    ["between good ones", (n: number) => n % 2 === 0],
  ] as const
) {
  Deno.test(`Machine delivers every good record while 12,000 bad ones on all partitions wait to be dead-lettered, ${how}`, () => {
    const partitions = [0, 1, 2, 3, 4, 5, 6, 7];
    const driver = new Driver({}, 64).assign(...partitions.map((partition) => ({ partition })));
    let [looked, good] = [0, 0];
    const answerAll = () => {
      for (; looked < driver.all.length; looked++) {
        const command = driver.all[looked];
        if (command?.type === "pause") assert.fail("a partition is paused");
        if (command?.type !== "send") continue;
        const { delivery } = command;
        const bad = isBad(delivery.offset);
        good += bad ? 0 : 1;
        driver.feed({ type: "attempt_finished", delivery, outcome: bad ? status(422) : status(200) });
      }
    };
    for (let first = 0; first < 3000; first += 100) {
      for (const partition of partitions) {
        driver.receive(Array.from({ length: 100 }, (_, n) => recordAt(first + n)), partition);
        answerAll();
      }
    }
    assert.equal(good, 8 * 1500);
  });
}

Deno.test("Machine with nothing to do never asks to be woken", () => {
  const driver = new Driver().assign({});
  assert.equal(driver.machine.wakeAtMs(driver.nowMs), undefined);
});
