import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { Cluster } from "kafkajs";
import Broker from "kafkajs/src/broker/index.js";
import ConsumerGroup from "kafkajs/src/consumer/consumerGroup.js";
import fetchV11 from "kafkajs/src/protocol/requests/fetch/v11/response.js";
import { until } from "../../../../support/until.ts";
import {
  type FetchHooks,
  patchGroupFetch,
} from "../../../../../consumer/kafka/kafkajs_patches/group_fetch.ts";

const logger = { namespace: () => logger, debug() {}, info() {}, warn() {}, error() {} };
const hooks = new WeakMap<Cluster, FetchHooks>();
patchGroupFetch((cluster) => hooks.get(cluster));

const OUT_OF_RANGE = 1;
const NOT_LEADER = 6;
const FORBIDDEN = 29;

type Group = {
  fetch(nodeId: string): Promise<{ topic: string; partition: number; messages: unknown[] }[]>;
  heartbeat(options: { interval: number }): Promise<void>;
  joinAndSync(): Promise<void>;
};

/** A group that reads partitions of one topic from one broker, which answers for each with an error code. */
function groupOf(
  codes: Readonly<Record<number, number>>,
  ours = true,
  recordSets: Readonly<Record<number, Buffer>> = {},
) {
  const partitions = Object.keys(codes).map(Number);
  const heard: string[] = [];
  const asked: number[][] = [];
  const unread = Promise.withResolvers<void>();
  const away: { error?: Error | undefined } = {};
  let refreshed = 0;
  const parse = (fetchV11 as { parse(data: unknown): Promise<unknown> }).parse;
  const broker = {
    fetch: ({ topics }: { topics: { topic: string; partitions: { partition: number }[] }[] }) => {
      const wanted = topics.flatMap((each) => each.partitions.map(({ partition }) => partition));
      asked.push(wanted);
      const answered = wanted.map((partition) => ({
        partition,
        errorCode: codes[partition],
        highWatermark: "2",
        abortedTransactions: [],
        messages: codes[partition] === 0 ? [{ offset: "0" }, { offset: "1" }] : [],
        ...(recordSets[partition] === undefined ? {} : { recordSet: recordSets[partition] }),
      }));
      return parse({ responses: [{ topicName: "t", partitions: answered }] });
    },
  };
  const cluster = {
    targetTopics: new Set(["t"]),
    brokerPool: { metadata: null },
    refreshMetadataIfNecessary: () => Promise.resolve(),
    refreshMetadata: () => Promise.resolve(void refreshed++),
    findTopicPartitionMetadata: () => partitions.map((partitionId) => ({ partitionId, leader: 1 })),
    findBroker: () => away.error === undefined ? Promise.resolve(broker) : Promise.reject(away.error),
    committedOffsets: () => ({}),
  };
  const asCluster = cluster as unknown as Cluster;
  if (ours) {
    hooks.set(asCluster, {
      outOfRange: ({ partition }) => Promise.resolve(void heard.push(`${partition} out of range`)),
      unreadable: ({ partition }, { message }) => void heard.push(`${partition}: ${message}`),
      readable: ({ partition }) => void heard.push(`${partition} read`),
      unread: async ({ partition, from, to, why }) => {
        heard.push(`${partition} unread from ${from} to ${to}: ${why}`);
        await unread.promise;
      },
      takenOut: () => new Error("somebody has our name"),
    });
  }
  const group = new ConsumerGroup(
    {
      cluster,
      groupId: "g",
      topics: ["t"],
      topicConfigurations: {},
      logger,
      assigners: [],
      maxWaitTimeInMs: 1,
    } as never,
  );
  group.subscriptionState.assign([{ topic: "t", partitions }]);
  group.offsetManager = {
    committedOffsets: () => ({ t: Object.fromEntries(partitions.map((partition) => [partition, "0"])) }),
    nextOffset: () => "0",
    resolveOffsets: () => Promise.resolve(),
  };
  group.joinAndSync = () => assert.fail("joined again");
  const pause = (partition: number) =>
    group.subscriptionState.pause([{ topic: "t", partitions: [partition] }]);
  return { group: group as unknown as Group, heard, asked, refreshed: () => refreshed, unread, away, pause };
}

Deno.test("patchGroupFetch() delivers the partitions that were read beside those that were not", async () => {
  const { group, heard } = groupOf({ 0: 0, 1: FORBIDDEN, 2: 0, 3: OUT_OF_RANGE });
  const batches = await group.fetch("1");
  assert.deepEqual(batches.map(({ partition, messages }) => [partition, messages.length]), [[0, 2], [2, 2]]);
  assert.deepEqual(heard, [
    "0 read",
    "2 read",
    "1: Not authorized to access topics: [Topic authorization failed]",
    "3 out of range",
  ]);
});

Deno.test("patchGroupFetch() asks who leads a partition now, and joins nothing again", async () => {
  const { group, asked, refreshed } = groupOf({ 0: 0, 1: NOT_LEADER });
  assert.equal((await group.fetch("1")).length, 1);
  assert.equal(refreshed(), 1);
  await group.fetch("1");
  assert.deepEqual(asked, [[0, 1], [0]], "what could not be read is left alone for a moment");
});

Deno.test("patchGroupFetch() tells which partitions' broker cannot be reached, and when it can, also of one that is paused since", async () => {
  const { group, heard, away, pause } = groupOf({ 0: 0, 1: 0 });
  away.error = Object.assign(new Error("connect ECONNREFUSED"), { name: "KafkaJSConnectionError" });
  await group.fetch("1");
  assert.deepEqual(heard.splice(0), ["0: connect ECONNREFUSED", "1: connect ECONNREFUSED"]);
  pause(1);
  away.error = undefined;
  await group.fetch("1");
  assert.deepEqual(heard, ["0 read", "1 read", "0 read"]);
});

Deno.test("patchGroupFetch() fails as before in a group that is not ours", async () => {
  const { group } = groupOf({ 0: 0, 1: FORBIDDEN }, false);
  await assert.rejects(group.fetch("1"), { type: "TOPIC_AUTHORIZATION_FAILED" });
});

/** A batch at offsets 0 to 4 that says it is compressed by a codec that there is not. */
function damagedBatch(): Buffer {
  const bytes = Buffer.alloc(70);
  bytes.writeInt32BE(bytes.length - 12, 8);
  bytes.writeInt8(2, 16);
  bytes.writeInt16BE(7, 21);
  bytes.writeInt32BE(4, 23);
  bytes.writeInt32BE(5, 57);
  return bytes;
}

Deno.test("patchGroupFetch() tells of a batch that cannot be unpacked, delivers the others, and leaves the partition alone until that is dealt with", async () => {
  const { group, heard, asked, unread } = groupOf({ 0: 0, 1: 0 }, true, { 1: damagedBatch() });
  const batches = await group.fetch("1");
  assert.deepEqual(batches.map(({ partition, messages }) => [partition, messages.length]), [[0, 2], [1, 0]]);
  assert.ok(heard.includes("1 unread from 0 to 4: There is no codec 7"), heard.join());
  await group.fetch("1");
  unread.resolve();
  await until("it to be asked for again", async () => {
    await group.fetch("1");
    return asked.at(-1)?.includes(1);
  });
  assert.deepEqual(asked.slice(0, 2), [[0, 1], [0]]);
});

Deno.test("patchGroupFetch() passes such a batch over for who does not ask", async () => {
  const { group } = groupOf({ 0: 0 }, false, { 0: damagedBatch() });
  const [batch] = await group.fetch("1") as unknown as { isEmpty(): boolean; lastOffset(): string }[];
  assert.deepEqual([batch?.isEmpty(), batch?.lastOffset()], [true, "4"]);
});

Deno.test("kafkajs asks for partitions in another order each time, for brokers fill their answers in order", async () => {
  const prototype = Broker.prototype as Record<symbol, unknown>;
  const send = Object.getOwnPropertySymbols(prototype).find(({ description }) =>
    description === "private:Broker:sendRequest"
  );
  assert.ok(send !== undefined);
  const firsts = new Set<number>();
  const broker = Object.assign(Object.create(Broker.prototype), {
    lookupRequest: () => (question: unknown) => question,
    [send]: ({ topics }: { topics: { partitions: { partition: number }[] }[] }) =>
      void firsts.add(topics[0]?.partitions[0]?.partition ?? -1),
  });
  const partitions = Array.from({ length: 8 }, (_, partition) => ({ partition, fetchOffset: "0" }));
  for (let n = 0; n < 200; n++) await broker.fetch({ topics: [{ topic: "t", partitions }] });
  assert.equal(firsts.size, 8);
});

Deno.test("patchGroupFetch() has heartbeats go on when the machine's clock is set back", async () => {
  const { group } = groupOf({ 0: 0 });
  let beats = 0;
  Object.assign(group, {
    memberId: "me",
    coordinator: { heartbeat: () => Promise.resolve(void beats++) },
    instrumentationEmitter: { emit() {} },
  });
  const now = Date.now;
  try {
    Date.now = () => now() - 600_000;
    await group.heartbeat({ interval: 0 });
    await group.heartbeat({ interval: 60_000 });
    await group.heartbeat({ interval: 60_000 });
  } finally {
    Date.now = now;
  }
  assert.equal(beats, 2);
});

Deno.test("patchGroupFetch() has records go on while another broker becomes the coordinator, and heartbeats go there", async () => {
  const { group } = groupOf({ 0: 0 });
  const gone = {
    heartbeat: () => Promise.reject(Object.assign(new Error("gone"), { name: "KafkaJSConnectionError" })),
  };
  let beats = 0;
  const next = { heartbeat: () => Promise.resolve(void beats++) };
  Object.assign(group, {
    memberId: "me",
    sessionTimeout: 60_000,
    coordinator: gone,
    instrumentationEmitter: { emit() {} },
  });
  const cluster = (group as unknown as { cluster: object }).cluster;
  Object.assign(cluster, { findGroupCoordinator: () => Promise.resolve(next) });
  await group.heartbeat({ interval: 0 });
  await until("a heartbeat to the next", async () => {
    await group.heartbeat({ interval: 0 });
    return beats > 0;
  });
});

Deno.test("patchGroupFetch() ends the membership of who is taken out of the group while it is heard, and of nobody who was silent", async () => {
  const { group } = groupOf({ 0: 0 });
  let known = true;
  const unknown = () => Promise.reject(Object.assign(new Error("who?"), { type: "UNKNOWN_MEMBER_ID" }));
  Object.assign(group, {
    memberId: "me",
    sessionTimeout: 60_000,
    coordinator: { heartbeat: () => known ? Promise.resolve() : unknown() },
    instrumentationEmitter: { emit() {} },
  });
  await group.heartbeat({ interval: 0 });
  known = false;
  await assert.rejects(
    group.heartbeat({ interval: 0 }),
    ({ retriable, cause }: { retriable: boolean; cause: Error }) =>
      !retriable && cause.message === "somebody has our name",
  );
  Object.assign(group, { sessionTimeout: 0 });
  await assert.rejects(group.heartbeat({ interval: 0 }), /who\?/);
});

Deno.test("patchGroupFetch() ends a membership whose heartbeats were not heard for a session", async () => {
  const { group } = groupOf({ 0: 0 });
  Object.assign(group, {
    memberId: "me",
    sessionTimeout: 1,
    coordinator: {
      heartbeat: () =>
        Promise.reject(Object.assign(new Error("not here"), { type: "NOT_COORDINATOR_FOR_GROUP" })),
    },
  });
  const cluster = (group as unknown as { cluster: object }).cluster;
  Object.assign(cluster, { findGroupCoordinator: () => new Promise(() => {}) });
  await group.heartbeat({ interval: 0 });
  const ended = async () =>
    await group.heartbeat({ interval: 0 }).then(() => false, ({ retriable }) => !retriable);
  await until("its end", ended);
});
