// Which records a parked key holds back, and when it is free: the rules, one at a time.

import assert from "node:assert/strict";
import { LetterLog } from "../../../../../consumer/core/parking/letter_log.ts";
import type { Letter, LetterUpdate } from "../../../../../consumer/core/parking/letters.ts";
import { Driver, recordAt, status } from "../fixtures.ts";

const NEWS: LetterUpdate = { letters: [], replayed: [], done: [], written: [], upTo: 0, askedMs: 2e9 };
const at = { topic: "t", partition: 0 };

/** The letter at `offset` of a record of key `k` that was read at `origin` of `t/0`. */
const letter = (offset: number, origin: number, from?: number): Letter => ({
  offset,
  key: "k",
  origin: { topic: "t", partition: 0, offset: origin, timestampMs: 0, letter: from },
  cause: { reason: "rejected", status: "422", problem: "" },
});
const place = (offset: number) => ({ at: "r/0", offset });
const record = (offset: number, key = "k") => recordAt(offset, { key });

/** A machine that parks keys; `news` is what it learns first. */
function parking(news: Partial<LetterUpdate> | null = {}, changes = {}): Driver {
  const driver = new Driver({ mode: "key", parkKeys: true, ...changes }).assign({});
  if (news !== null) learn(driver, news);
  return driver;
}

function learn(driver: Driver, news: Partial<LetterUpdate>, topic = "t"): Driver {
  driver.feed({ type: "letters_read", epoch: 1, at: { topic, partition: 0 }, news: { ...NEWS, ...news } });
  return driver;
}

/** Offsets of the dead letters asked for, with what they are parked behind. */
const parked = (driver: Driver) =>
  driver.got("dead_letter").map(({ delivery }) => [delivery.offset, delivery.parkedBehind?.place]);

/** Confirms the dead letters that the last event asked for, at this offset of the dead-letter topic. */
function written(driver: Driver, offset: number): Driver {
  for (const { delivery } of driver.got("dead_letter")) {
    driver.feed({ type: "dead_letter_written", delivery, offset });
  }
  return driver;
}

Deno.test("Machine sends nothing of a partition before it knows which keys are parked", () => {
  const driver = parking(null).receive([record(0)]);
  assert.deepEqual(driver.sent, []);
  learn(driver, {});
  assert.deepEqual(driver.sent, [0]);
});

Deno.test("Machine parks the later records of a dead-lettered key behind it, in order, and no others", () => {
  const driver = parking().receive([record(0), record(1), record(2), record(3, "other")]);
  assert.deepEqual(driver.sent, [0, 3]);
  driver.finish(0, status(422));
  written(driver, 7);
  assert.deepEqual([driver.sent, parked(driver)], [[], [[1, "t/0/0"]]]);
  written(driver, 8);
  assert.deepEqual(parked(driver), [[2, "t/0/0"]]);
  assert.deepEqual(driver.got("dead_letter")[0]?.reason, "parked");
});

Deno.test("Machine pays no token for what it parks", () => {
  const driver = parking({ letters: [letter(0, 0)], upTo: 1 }, { deadLetters: { burst: 0, share: 0 } });
  driver.receive([record(5)]);
  assert.deepEqual(parked(driver), [[5, "t/0/0"]]);
});

Deno.test("Machine settles a record whose dead letter was written but never committed", () => {
  const driver = parking({ letters: [letter(0, 0)], written: [letter(0, 0)], upTo: 1 });
  driver.receive([record(0), record(1)]);
  assert.deepEqual([driver.sent, parked(driver)], [[], [[1, "t/0/0"]]]);
  assert.equal(driver.machine.find(at, 0), undefined);
});

Deno.test("Machine sends what is at the offset of an old letter but is another record: the topic was made anew", () => {
  const written = [letter(0, 0), letter(1, 1)];
  const driver = parking({ letters: written, written, upTo: 2 });
  driver.receive([record(0, "other"), recordAt(1, { key: "k2", timestampMs: 0 })]);
  assert.deepEqual([driver.sent, parked(driver)], [[0, 1], []]);
  const later = parking({ letters: written, written, upTo: 2 });
  later.receive([recordAt(0, { key: "k", timestampMs: 7 })]);
  assert.deepEqual([later.sent, parked(later)], [[0], []]);
});

Deno.test("Machine sends the replay of a letter that was not committed, and settles one that came back since", () => {
  const first = letter(0, 3);
  const again = letter(4, 3, 0);
  const news = { letters: [again], replayed: [], written: [first, again], upTo: 5 };
  assert.deepEqual(replays(retrying(news), [0, 3, 0]).sent, []);
  assert.deepEqual(replays(retrying({ ...news, letters: [], done: [] }), [1, 3, 4]).sent, [1]);
});

Deno.test("Machine lets later records wait while replays of their key are on their way, then sends them", () => {
  const driver = parking({ letters: [letter(0, 0)], upTo: 1 });
  learn(driver, { replayed: [{ offset: 0, place: place(0) }], upTo: 2 });
  driver.receive([record(3)]);
  assert.deepEqual([driver.sent, parked(driver)], [[], []]);
  learn(driver, { done: [0], upTo: 2 });
  assert.deepEqual(driver.sent, [3]);
  assert.equal(driver.machine.view.partitions[0]?.parkedKeyCount, 0);
});

Deno.test("Machine parks what has waited when the replay comes back as a dead letter", () => {
  const driver = parking({ letters: [letter(0, 0)], replayed: [{ offset: 0, place: place(0) }], upTo: 2 });
  driver.receive([record(3)]);
  learn(driver, { letters: [letter(2, 0, 0)], done: [0], upTo: 3 });
  assert.deepEqual([driver.sent, parked(driver)], [[], [[3, "t/0/0"]]]);
});

Deno.test("Machine parks what waits when its partition is at its bound, or replays might not get in", () => {
  const bounds = { records: 10_000, bytes: 250 };
  const driver = parking({ letters: [letter(0, 0)], replayed: [{ offset: 0, place: place(0) }], upTo: 2 }, {
    bounds,
  });
  driver.receive([record(3)]);
  driver.receive([record(4), record(5)]);
  assert.deepEqual(parked(driver), []);
  learn(driver, { upTo: 2 });
  assert.deepEqual(parked(driver), [[3, "t/0/0"]]);
});

Deno.test("Machine writes no parked record of a partition that is gone", () => {
  const driver = parking({ letters: [letter(0, 0)], upTo: 1 }).receive([record(3)]);
  const [asked] = driver.got("dead_letter");
  assert.ok(asked !== undefined);
  driver.feed({ type: "dead_letter_failed", delivery: asked.delivery });
  driver.feed({ type: "revoked", partitions: [at] });
  driver.pass(60_000);
  assert.deepEqual(parked(driver), []);
});

Deno.test("Machine frees a key whose dead letters were dropped", () => {
  const driver = parking({ letters: [letter(0, 0), letter(1, 1)], upTo: 2 });
  learn(driver, { done: [0], upTo: 3 });
  driver.receive([record(5)]);
  assert.deepEqual(parked(driver), [[5, "t/0/1"]]);
  written(driver, 3);
  learn(driver, { done: [1, 3], upTo: 5 });
  driver.receive([record(5), record(6)]);
  assert.deepEqual(driver.sent, [6]);
});

Deno.test("Machine frees a key whose dead letters Kafka has deleted, but not before replays on their way settle", () => {
  const driver = parking({ letters: [letter(0, 0), letter(1, 1)], upTo: 2 });
  learn(driver, { replayed: [{ offset: 1, place: place(0) }], from: 2, upTo: 3 });
  driver.receive([record(5)]);
  assert.deepEqual([driver.sent, parked(driver)], [[], []]);
  learn(driver, { done: [1], from: 2, upTo: 3 });
  assert.deepEqual(driver.sent, [5]);
});

/** The retry topic's partition, with replays of `t/0`. */
function retrying(news: Partial<LetterUpdate>): Driver {
  const driver = new Driver({ mode: "key", parkKeys: true }).assign({ topic: "r" });
  return learn(driver, news, "r");
}

function replays(
  driver: Driver,
  ...of: (readonly [offset: number, origin: number, letter: number])[]
): Driver {
  const records = of.map(([offset, origin, letter]) =>
    recordAt(offset, {
      key: "k",
      origin: { topic: "t", partition: 0, offset: origin, timestampMs: 0, letter },
    })
  );
  const position = (records.at(-1)?.offset ?? -1) + 1;
  driver.feed({
    type: "received",
    epoch: 1,
    from: { topic: "r", partition: 0 },
    records,
    position,
    highWatermark: position,
  });
  return driver;
}

Deno.test("Machine sends a replay whatever later dead letters its key has", () => {
  const driver = retrying({ letters: [letter(5, 9)], upTo: 6 });
  assert.deepEqual(replays(driver, [0, 3, 1]).sent, [0]);
});

Deno.test("Machine parks a replay behind an earlier record of its key that was dead-lettered again", () => {
  const driver = replays(retrying({}), [0, 3, 0], [1, 4, 1]);
  driver.finish(0, status(422));
  written(driver, 4);
  // Its own mark is not read yet: what is known may be older than the replay.
  assert.deepEqual([driver.sent, parked(driver)], [[], []]);
  learn(driver, { upTo: 4 }, "r");
  assert.deepEqual(parked(driver), [[1, "t/0/3"]]);
});

Deno.test("Machine parks a replay that an earlier record of its key lies behind", () => {
  const driver = retrying({
    letters: [letter(4, 3, 1)],
    replayed: [{ offset: 4, place: place(9) }],
    upTo: 6,
  });
  assert.deepEqual(parked(replays(driver, [1, 4, 1])), [[1, "t/0/3"]]);
});

Deno.test("LetterLog tells nobody of what began and ended before its first look", () => {
  const log = new LetterLog(({ offset }) => offset >= 3);
  const news = log.take(
    [
      { kind: "letter", letter: letter(0, 2) },
      { kind: "letter", letter: letter(1, 3) },
      { kind: "letter", letter: letter(2, 4) },
      { kind: "replayed", offsets: [0, 1], places: [place(0), place(1)] },
      { kind: "dropped", offsets: [2] },
    ],
    5,
    ({ offset }) => offset === 0,
    0,
  );
  assert.deepEqual(news.letters, [letter(1, 3)]);
  assert.deepEqual(news.replayed, [{ offset: 1, place: place(1) }]);
  assert.deepEqual(news.done, []);
  // What was dropped is done with: if its record comes again, somebody rewound the group.
  assert.deepEqual(news.written, [letter(1, 3)]);
  assert.equal(log.outstanding, 1);
});

Deno.test("LetterLog tells of a replay when it is sent and again when it is settled", () => {
  const log = new LetterLog(() => false);
  log.take([{ kind: "letter", letter: letter(0, 0) }], 1, () => false, 0);
  const sent = log.take([{ kind: "replayed", offsets: [0], places: [place(0)] }], 2, () => false, 0);
  assert.deepEqual([sent.replayed, sent.done], [[{ offset: 0, place: place(0) }], []]);
  const settled = log.take([], 2, () => true, 0);
  assert.deepEqual([settled.replayed, settled.done, log.outstanding], [[], [0], 0]);
});

Deno.test("LetterLog takes a mark without a place for done: an earlier release wrote it", () => {
  const log = new LetterLog(() => false);
  log.take([{ kind: "letter", letter: letter(0, 0) }], 1, () => false, 0);
  assert.deepEqual(log.take([{ kind: "replayed", offsets: [0], places: [] }], 2, () => false, 0).done, [0]);
});

Deno.test("Machine parks a record only by news that are younger than it: a replay may have freed its key", () => {
  const driver = parking({ letters: [letter(0, 0)], upTo: 1, askedMs: 0 });
  driver.receive([record(3)]);
  assert.deepEqual([driver.sent, parked(driver)], [[], []]);
  learn(driver, { upTo: 1, askedMs: driver.nowMs });
  assert.deepEqual(parked(driver), [[3, "t/0/0"]]);
  const freed = parking({ letters: [letter(0, 0)], upTo: 1, askedMs: 0 }).receive([record(3)]);
  learn(freed, { done: [0], upTo: 2, askedMs: freed.nowMs });
  assert.deepEqual([freed.sent, parked(freed)], [[3], []]);
});
