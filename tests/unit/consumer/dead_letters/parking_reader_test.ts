// Reading the dead-letter topics for the machine, over topics in memory.

import assert from "node:assert/strict";
import type { Event } from "../../../../consumer/core/events.ts";
import type { KafkaRecord } from "../../../../consumer/records/record.ts";
import { type ParkingPorts, ParkingReader } from "../../../../consumer/dead_letters/parking_reader.ts";
import { until } from "../../../support/until.ts";
import { partitionId } from "../../../../consumer/records/position.ts";

const NAMES = { groupId: "g", deadLetterTopic: undefined, retryTopic: undefined };
const bytes = (text: string) => new TextEncoder().encode(text);

function stored(offset: number, headers: Record<string, string>, key: string | null = "k"): KafkaRecord {
  const at = { topic: "t.g.dlq", partition: 1, offset, timestampMs: 0 };
  return { ...at, key: key === null ? null : bytes(key), value: null, headers };
}

const letter = (offset: number, origin: number, partition = 1) =>
  stored(offset, {
    "ackpool-origin-topic": "t",
    "ackpool-origin-partition": String(partition),
    "ackpool-origin-offset": String(origin),
    "ackpool-origin-timestamp": "0",
  });

/** Topics of four partitions; the dead-letter topic's partition 1 has these records. */
class Scene {
  records: KafkaRecord[] = [];
  committed: number | undefined;
  parked = new Set<string>();
  partitions: Record<string, number> = { "t.g.dlq": 4, "t.g.retry": 4 };
  /** Kafka has deleted the records before. */
  from = 0;
  reads = 0;
  /** Partitions of the dead-letter topic that nobody leads. */
  leaderless: readonly number[] = [];
  readonly news: Extract<Event<KafkaRecord>, { type: "letters_read" }>[] = [];
  readonly letters: ParkingReader;

  constructor(names = NAMES) {
    const ports: ParkingPorts = {
      offsets: {
        knownRanges: (topic) =>
          Promise.resolve(
            Array.from({ length: this.partitions[topic] ?? 0 }, (_, partition) => ({
              topic,
              partition,
              from: this.from,
              to: partition === 1 ? this.records.length : 0,
            })).filter(({ partition }) => !this.leaderless.includes(partition)),
          ),
        partitions: (topic) => Promise.resolve(this.partitions[topic] ?? 0),
        committed: () => Promise.resolve([{ partition: 1, offset: this.committed, metadata: null }]),
      },
      reader: () => ({
        read: async ([range], visit) => {
          this.reads += 1;
          if (range !== undefined) await visit(this.records.slice(range.from, range.to));
        },
      }),
      feed: (event) => {
        if (event.type === "letters_read") this.news.push(event);
      },
      parked: () => this.parked,
      close: () => Promise.resolve(),
      nowMs: () => 0,
      // Looks follow each other as quickly as they can.
      pause: (_, signal) =>
        signal.aborted ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, 1)),
    };
    this.letters = new ParkingReader(names, ports);
  }

  assign(topic: string, offset = 0): this {
    this.letters.follow({
      type: "assigned",
      epoch: 3,
      partitions: [{ topic, partition: 1, offset, metadata: null }],
    });
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.letters.close();
  }
}

Deno.test("ParkingReader tells a new partition its open letters once, and reads no more while nothing is parked", async () => {
  await using scene = new Scene();
  scene.records = [letter(0, 4), letter(1, 9), letter(2, 5, 3), stored(3, { mine: "y" }, null)];
  scene.assign("t", 9).letters.start();
  const { epoch, at, news } = await until("news", () => scene.news[0]);
  assert.deepEqual([epoch, at], [3, { topic: "t", partition: 1 }]);
  assert.deepEqual(
    news.letters.map(({ offset, key, origin }) => [offset, key, partitionId(origin), origin.offset]),
    [
      [0, "k", "t/1", 4],
      [1, "k", "t/1", 9],
    ],
  );
  // What was committed is not delivered again.
  assert.deepEqual(news.written.map(({ origin }) => origin.offset), [9]);
  assert.equal(news.upTo, 4);
  assert.equal(scene.reads, 1);
});

Deno.test("ParkingReader tells of a replay, and again when the group has settled it", async () => {
  await using scene = new Scene();
  scene.records = [letter(0, 4)];
  scene.assign("t").letters.start();
  await until("the first news", () => scene.news[0]);
  scene.parked = new Set(["t/1"]);
  const mark = {
    "ackpool-mark": "replayed",
    "ackpool-mark-offsets": "0",
    "ackpool-mark-replays": "t.g.retry/1/7",
  };
  scene.records.push(stored(1, mark, null));
  const sent = await until("the replay", () => scene.news.find(({ news }) => news.replayed.length > 0));
  assert.deepEqual(sent.news.replayed, [{ offset: 0, place: { at: "t.g.retry/1", offset: 7 } }]);
  assert.deepEqual(sent.news.done, []);
  scene.committed = 8;
  const settled = await until("its end", () => scene.news.find(({ news }) => news.done.length > 0));
  assert.deepEqual(settled.news.done, [0]);
});

Deno.test("ParkingReader tells which letters Kafka has deleted", async () => {
  await using scene = new Scene();
  scene.records = [letter(0, 4)];
  scene.assign("t").letters.start();
  await until("the first news", () => scene.news[0]);
  scene.parked = new Set(["t/1"]);
  scene.from = 1;
  await until("news of the end", () => scene.news.find(({ news }) => news.from === 1));
});

Deno.test("ParkingReader knows letters of the retry topic's partition by the source's topic", async () => {
  await using scene = new Scene();
  scene.records = [letter(0, 4), letter(1, 2, 5)];
  scene.assign("t.g.retry").letters.start();
  const { news } = await until("news", () => scene.news[0]);
  assert.deepEqual(news.letters.map(({ offset }) => offset), [0, 1]);
});

Deno.test("ParkingReader has only those wait whose letters lie where no broker leads", async () => {
  await using scene = new Scene();
  scene.leaderless = [2];
  scene.letters.follow({
    type: "assigned",
    epoch: 3,
    partitions: [1, 2, 3].map((partition) => ({ topic: "t", partition, offset: 0, metadata: null })),
  });
  scene.letters.start();
  const told = () => scene.news.map(({ at }) => at.partition).sort();
  await until("news of the others", () => scene.news.length === 2);
  assert.deepEqual(told(), [1, 3]);
  const [cause] = await until("the cause", () => scene.letters.causes().length > 0 && scene.letters.causes());
  assert.match(cause?.detail ?? "", /No broker leads t\.g\.dlq\/2/);
  scene.leaderless = [];
  await until("news of the last", () => scene.news.length === 3);
  assert.deepEqual(told(), [1, 2, 3]);
  await until("no cause", () => scene.letters.causes().length === 0);
});

Deno.test("ParkingReader.follow() forgets partitions that are gone", async () => {
  await using scene = new Scene();
  scene.assign("t");
  scene.letters.follow({ type: "revoked", partitions: [{ topic: "t", partition: 1 }] });
  scene.assign("t.g.retry").letters.start();
  await until("news of the other", () => scene.news[0]);
  assert.deepEqual(scene.news.map(({ at }) => at.topic), ["t.g.retry"]);
});

Deno.test("ParkingReader lets partitions wait, and says why, while it cannot know which keys are parked", async () => {
  await using scene = new Scene();
  scene.partitions["t.g.retry"] = 6;
  scene.assign("t").letters.start();
  const [cause] = await until("the cause", () => {
    const causes = scene.letters.causes();
    return causes.length > 0 ? causes : undefined;
  });
  assert.equal(cause?.name, "dead-letters-unread");
  assert.match(cause?.detail ?? "", /t\.g\.dlq has 4 partitions and t\.g\.retry has 6/);
  assert.deepEqual(scene.news, []);
  scene.partitions["t.g.retry"] = 4;
  await until("news", () => scene.news[0]);
  assert.deepEqual(scene.letters.causes(), []);
});

Deno.test("ParkingReader knows at once that nothing is parked where there is no dead-letter topic", async () => {
  await using scene = new Scene();
  scene.partitions = {};
  scene.assign("t").letters.start();
  assert.deepEqual((await until("news", () => scene.news[0])).news.letters, []);
  assert.equal(scene.reads, 0);
});

Deno.test("ParkingReader has a topic whose letters cannot be read cost no other topic anything", async () => {
  await using scene = new Scene();
  // As if a partition of it had no leader: letters and replays do not fit together.
  Object.assign(scene.partitions, { "bad.g.dlq": 4, "bad.g.retry": 3 });
  scene.assign("bad").assign("t").letters.start();
  assert.deepEqual((await until("news", () => scene.news[0])).at, { topic: "t", partition: 1 });
  assert.match(scene.letters.causes()[0]?.detail ?? "", /bad\.g\.dlq has 4 partitions/);
  scene.partitions["bad.g.retry"] = 4;
  await until("the other's news", () => scene.news.some(({ at }) => at.topic === "bad"));
});
