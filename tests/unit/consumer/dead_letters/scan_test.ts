// Dead-letter topics that are larger than what is kept of them, in memory: scanned, listed, replayed and dropped.

import assert from "node:assert/strict";
import { drop } from "../../../../consumer/dead_letters/drop.ts";
import { list } from "../../../../consumer/dead_letters/list.ts";
import { RangeMap } from "../../../../consumer/dead_letters/marks/range_map.ts";
import { OffsetSet } from "../../../../consumer/dead_letters/marks/offset_set.ts";
import type { DeadLetterPorts } from "../../../../consumer/dead_letters/ports.ts";
import { replay } from "../../../../consumer/dead_letters/replay/replay.ts";
import type { ReplayRequest } from "../../../../consumer/dead_letters/replay/request.ts";
import { scan } from "../../../../consumer/dead_letters/scan.ts";
import type { KafkaRecord } from "../../../../consumer/records/record.ts";
import type { OffsetRange, PlacedRecord, Visit } from "../../../../consumer/records/log_access.ts";

const DLQ = "t.g.dlq";
const RETRY = "t.g.retry";

/** A broker's topics, as far as dead-letter operations need them. Reads come in batches of two. */
class MemoryTopics {
  readonly #logs: Map<string, KafkaRecord[]> = new Map();
  reads = 0;

  add(topic: string, partition: number, record: Partial<KafkaRecord>): number {
    const log = this.log(topic, partition);
    const blank = { timestampMs: 0, key: null, value: null, headers: {} };
    log.push({ ...blank, ...record, topic, partition, offset: log.length });
    return log.length - 1;
  }

  log(topic: string, partition: number): KafkaRecord[] {
    const log = this.#logs.get(`${topic}/${partition}`) ?? [];
    this.#logs.set(`${topic}/${partition}`, log);
    return log;
  }

  async read(ranges: readonly OffsetRange[], visit: Visit, signal?: AbortSignal): Promise<void> {
    this.reads += 1;
    for (const { topic, partition, from, to } of ranges) {
      for (let at = from; at < to; at += 2) {
        signal?.throwIfAborted();
        await visit(this.log(topic, partition).slice(at, Math.min(to, at + 2)));
      }
    }
    signal?.throwIfAborted();
  }

  ports(pageSize?: number): DeadLetterPorts {
    const partitions = (topic: string) => [0, 1].map((partition) => this.log(topic, partition).length);
    return {
      groupId: "g",
      topics: () => Promise.resolve([DLQ]),
      retryTopicOf: () => RETRY,
      offsets: {
        ranges: (topic) =>
          Promise.resolve(partitions(topic).map((to, partition) => ({ topic, partition, from: 0, to }))),
        partitions: () => Promise.resolve(2),
        committed: () => Promise.resolve([]),
      },
      reader: () => Promise.resolve(this),
      openSender: () =>
        Promise.resolve({
          send: (
            records: readonly PlacedRecord[],
            more: (offsets: readonly number[]) => readonly PlacedRecord[] = () => [],
          ) => {
            const offsets = records.map((each) => this.add(each.topic, each.partition, each));
            for (const each of more(offsets)) this.add(each.topic, each.partition, each);
            return Promise.resolve(offsets);
          },
          close: () => Promise.resolve(),
        }),
      nowMs: () => 0,
      pause: () => Promise.resolve(),
      ...(pageSize === undefined ? {} : { pageSize }),
    };
  }
}

/** Dead letters on two partitions, the younger the higher their number; two causes. */
function filled(count: number): MemoryTopics {
  const topics = new MemoryTopics();
  for (let n = 0; n < count; n++) {
    topics.add(DLQ, n % 2, {
      value: new TextEncoder().encode(`v${n}`),
      headers: {
        "ackpool-status": n % 5 === 0 ? "500" : "422",
        "ackpool-dead-lettered-at": new Date(n * 1000).toISOString(),
        "ackpool-origin-topic": "t",
        "ackpool-origin-partition": String(n % 2),
        "ackpool-origin-offset": String(n),
        "ackpool-origin-timestamp": "1",
        "ackpool-replays": n % 10 === 9 ? "3" : "0",
      },
    });
  }
  return topics;
}

const REQUEST: ReplayRequest = {
  filter: {},
  rate: undefined,
  max: undefined,
  dryRun: false,
  canary: 0,
  canaryTimeoutMs: 1000,
  replaysMax: 3,
};
const never = new AbortController().signal;
const numberOf = ({ value }: KafkaRecord) => Number(new TextDecoder().decode(value ?? undefined).slice(1));

Deno.test("scan() gives pages of a size, each partition in its order, and counts without keeping", async () => {
  const topics = filled(41);
  const { total, open, pages } = await scan(topics.ports(6), {
    filter: { statuses: ["422"] },
    kindOf: ({ replays }) => replays < 3 ? "fresh" : "old",
  });
  assert.deepEqual([total, open("fresh"), open("old")], [41, 28, 4]);
  const found: number[] = [];
  const sizes: number[] = [];
  for await (const page of pages()) {
    sizes.push(page.length);
    found.push(...page.map(({ letter: { partition, offset } }) => offset * 2 + partition));
  }
  const expected = Array.from({ length: 41 }, (_, n) => n).filter((n) => n % 5 !== 0);
  assert.deepEqual([...found].sort((a, b) => a - b), expected);
  for (const partition of [0, 1]) {
    const own = found.filter((n) => n % 2 === partition);
    assert.deepEqual(own, [...own].sort((a, b) => a - b));
  }
  // A batch more than a page at most.
  assert.ok(sizes.every((size) => size <= 7) && sizes.length > 4, sizes.join());
});

Deno.test("scan() reads a topic once where all of it may be kept", async () => {
  const topics = filled(20);
  const { pages } = await scan(topics.ports(), { filter: {}, kindOf: () => "any" });
  const found = await Array.fromAsync(pages());
  assert.deepEqual([found.map((page) => page.length), topics.reads], [[20], 1]);
});

Deno.test("list() counts causes and shows the newest, however many pages it takes", async () => {
  const whole = await list(filled(41).ports(), { filter: {}, all: false, limit: 3 });
  assert.deepEqual(whole.newest.map(({ letter }) => letter.atMs), [40_000, 39_000, 38_000]);
  const at = (partition: number, offset: number) => ({ topic: "t.g.dlq", partition, offset });
  assert.deepEqual(whole.causes, [
    { cause: "422", count: 32, parked: 0, oldestMs: 1000, newestMs: 39_000, example: at(1, 19) },
    { cause: "500", count: 9, parked: 0, oldestMs: 0, newestMs: 40_000, example: at(0, 20) },
  ]);
  assert.deepEqual(await list(filled(41).ports(5), { filter: {}, all: false, limit: 3 }), whole);
});

Deno.test("replay() sends every open dead letter once over many pages, and a second run nothing", async () => {
  const topics = filled(41);
  const first = await replay(topics.ports(5), { ...REQUEST, max: 30 }, () => {}, never);
  assert.deepEqual([first.end, first.meant, first.replayed, first.looping], ["done", 30, 30, 4]);
  const second = await replay(topics.ports(5), REQUEST, () => {}, never);
  assert.deepEqual([second.end, second.meant, second.replayed], ["done", 7, 7]);
  const sent = [0, 1].map((partition) => topics.log(RETRY, partition).map(numberOf));
  for (const numbers of sent) assert.deepEqual(numbers, [...numbers].sort((a, b) => a - b));
  const expected = Array.from({ length: 41 }, (_, n) => n).filter((n) => n % 10 !== 9);
  assert.deepEqual(sent.flat().sort((a, b) => a - b), expected);
  const third = await replay(topics.ports(5), { ...REQUEST, dryRun: true }, () => {}, never);
  assert.deepEqual([third.end, third.meant, third.looping], ["dry-run", 0, 4]);
});

Deno.test("replay() that is stopped between pages says how far it came", async () => {
  const topics = filled(41);
  const stopping = new AbortController();
  const summary = await replay(topics.ports(5), REQUEST, (phase, done) => {
    if (phase === "replaying" && done > 10) stopping.abort(new Error("Stopped."));
  }, stopping.signal);
  assert.equal(summary.end, "interrupted");
  assert.ok(summary.replayed > 10 && summary.replayed < 37, String(summary.replayed));
  const rest = await replay(topics.ports(5), REQUEST, () => {}, never);
  assert.equal(summary.replayed + rest.replayed, 37);
});

Deno.test("drop() marks every open dead letter over many pages", async () => {
  const topics = filled(41);
  const request = { filter: {}, max: undefined, dryRun: false };
  assert.deepEqual(await drop(topics.ports(5), { ...request, max: 11 }, never), {
    meant: 11,
    dropped: 11,
    parked: 0,
  });
  assert.deepEqual(await drop(topics.ports(5), request, never), { meant: 30, dropped: 30, parked: 0 });
  assert.deepEqual(await drop(topics.ports(5), { ...request, dryRun: true }, never), {
    meant: 0,
    dropped: 0,
    parked: 0,
  });
  const { total, meant } = await list(topics.ports(5), { filter: {}, all: true, limit: 1 });
  assert.deepEqual([total, meant], [41, 41]);
});

Deno.test("RangeMap.get() says what was said last, whatever the order", () => {
  const ranges = new RangeMap<string>();
  const expected: (string | undefined)[] = Array.from({ length: 60 });
  // Like random, but the same each time.
  for (let n = 0; n < 200; n++) {
    const first = (n * 37) % 50;
    const last = first + (n * 13) % 9 - 1;
    const value = n % 3 === 0 ? "a" : "b";
    ranges.set(first, last, value);
    for (let at = first; at <= last; at++) expected[at] = value;
    assert.deepEqual(expected.map((_, at) => ranges.get(at)), [...expected], `after ${n}`);
  }
});

Deno.test("OffsetSet.count() counts what was added, once each and far apart", () => {
  const set = new OffsetSet();
  for (const offset of [0, 7, 8, 8, 8191, 8192, 5_000_000_001]) set.add(offset);
  const seen: number[] = [];
  assert.equal(set.count((offset) => seen.push(offset) > 0), 6);
  assert.deepEqual(seen, [0, 7, 8, 8191, 8192, 5_000_000_001]);
  assert.equal(set.count((offset) => offset > 8000), 3);
});

/** On partition 0 a letter of each key, and two parked behind each; key `b` was replayed too often already. */
function withParked(): MemoryTopics {
  const topics = new MemoryTopics();
  const letter = (key: string, offset: number, behind?: number) =>
    topics.add(DLQ, 0, {
      key: new TextEncoder().encode(key),
      headers: {
        "ackpool-origin-topic": "t",
        "ackpool-origin-partition": "0",
        "ackpool-origin-offset": String(offset),
        "ackpool-origin-timestamp": "0",
        "ackpool-status": behind === undefined ? "422" : "parked",
        "ackpool-reason": behind === undefined ? "rejected" : `parked behind t/0/${behind}`,
        "ackpool-parked-cause": "rejected 422",
        "ackpool-replays": key === "b" && behind === undefined ? "3" : "0",
      },
    });
  letter("a", 1);
  letter("b", 2);
  letter("a", 7, 1);
  letter("a", 5, 1);
  letter("b", 6, 2);
  topics.log(RETRY, 0);
  return topics;
}

Deno.test("replay() sends what is parked behind a letter with it, in the order of their origins", async () => {
  const topics = withParked();
  const { meant, replayed, looping, blocked } = await replay(
    topics.ports(),
    { ...REQUEST, filter: { statuses: ["422"] } },
    () => {},
    never,
  );
  // Of key b the first was replayed too often: what is parked behind it would overtake it.
  assert.deepEqual([meant, replayed, looping, blocked], [3, 3, 1, 1]);
  const sent = topics.log(RETRY, 0).map(({ headers }) => headers["ackpool-origin-offset"]);
  assert.deepEqual(sent, ["1", "5", "7"]);
  assert.deepEqual(topics.log(DLQ, 0).at(-1)?.headers["ackpool-mark-replays"], `${RETRY}/0/0,2,1`);
});

Deno.test("replay() sends what was parked behind its letters meanwhile, but not what came back", async () => {
  const topics = withParked();
  const add = (offset: number, headers: Record<string, string>) =>
    topics.add(DLQ, 0, {
      key: new TextEncoder().encode("a"),
      headers: {
        "ackpool-origin-topic": "t",
        "ackpool-origin-partition": "0",
        "ackpool-origin-offset": String(offset),
        "ackpool-origin-timestamp": "0",
        ...headers,
      },
    });
  let pauses = 0;
  const parked = (replays: string) => ({
    "ackpool-status": "parked",
    "ackpool-reason": "parked behind t/0/1",
    "ackpool-parked-cause": "rejected 422",
    "ackpool-replays": replays,
  });
  const ports = {
    ...topics.ports(),
    pause: () => {
      pauses += 1;
      if (pauses === 1) add(9, parked("0"));
      if (pauses === 2) {
        add(1, { "ackpool-status": "422", "ackpool-reason": "rejected", "ackpool-replays": "1" });
        add(5, parked("1"));
        add(10, parked("0"));
      }
      return Promise.resolve();
    },
  };
  const { end, meant, replayed } = await replay(
    ports,
    { ...REQUEST, filter: { statuses: ["422"] } },
    () => {},
    never,
  );
  assert.deepEqual([end, meant, replayed], ["done", 4, 4]);
  const sent = topics.log(RETRY, 0).map(({ headers }) => headers["ackpool-origin-offset"]);
  assert.deepEqual(sent, ["1", "5", "7", "9"]);
});

Deno.test("drop() drops no letter that is only parked behind one that is meant, and says how many", async () => {
  const topics = withParked();
  const request = { filter: { statuses: ["422"] }, max: undefined, dryRun: false };
  assert.deepEqual(await drop(topics.ports(), request, never), { meant: 2, dropped: 2, parked: 3 });
  const rest = { filter: { key: "a" }, max: undefined, dryRun: false };
  assert.deepEqual(await drop(topics.ports(), rest, never), { meant: 2, dropped: 2, parked: 0 });
});

Deno.test("list() counts what is parked under the cause of its first", async () => {
  const { causes } = await list(withParked().ports(), { filter: {}, all: false, limit: 1 });
  assert.deepEqual(causes.map(({ cause, count, parked }) => [cause, count, parked]), [[
    "rejected 422",
    5,
    3,
  ]]);
});
