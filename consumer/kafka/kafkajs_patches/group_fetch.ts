// Patches how kafkajs's consumer group fetches: a partition's error costs that partition, and heartbeats need no clock.

import type { Broker, Cluster } from "kafkajs";
import Batch from "kafkajs/src/consumer/batch.js";
import ConsumerGroup from "kafkajs/src/consumer/consumerGroup.js";
import { KafkaJSNonRetriableError, KafkaJSOffsetOutOfRange } from "kafkajs/src/errors.js";
import { createErrorFromCode } from "kafkajs/src/protocol/error.js";
import { partitionId, type TopicPartition } from "../../records/position.ts";
import { passOver, readAnswer, type UnreadAt } from "./answer_records.ts";
import { FETCH_RESPONSES, patchFetchResponse } from "./fetch_response.ts";
import { partitionError } from "./topic_metadata.ts";

/** What a group tells of its partitions while it fetches. */
export interface FetchHooks {
  /** The broker does not have the offset that comes next; seeks, or throws to be asked again. */
  readonly outOfRange: (at: TopicPartition) => Promise<void>;
  /** A partition cannot be read now; it is tried again. */
  readonly unreadable: (at: TopicPartition, error: Error) => void;
  /** A partition was read, be there something new or not. */
  readonly readable: (at: TopicPartition) => void;
  /**
   * A batch cannot be unpacked, and what was before it has been read. It is told again until reading goes on behind it.
   * Where this throws, it is told again a little later.
   */
  readonly unread: (batch: UnreadAt) => Promise<void>;
  /** The group does not know a member that it heard a moment ago: what its membership ends with; undefined: it joins anew. */
  readonly takenOut: () => Error | undefined;
}

/** One partition of a broker's answer. */
interface PartitionData {
  readonly partition: number;
  readonly errorCode: number;
}

/** A broker's answer. */
export interface FetchAnswer {
  readonly responses: readonly {
    readonly topicName: string;
    readonly partitions: readonly PartitionData[];
  }[];
}

interface FetchResponse {
  parse(data: FetchAnswer): Promise<FetchAnswer>;
}

/** Partitions by topic, as kafkajs passes them around. */
interface Partitions {
  readonly topic: string;
  readonly partitions: readonly number[];
}

/** The broker that coordinates a group. */
interface Coordinator extends Broker {
  heartbeat(member: unknown): Promise<void>;
}

/** What is touched of kafkajs's group. */
interface Group {
  readonly cluster: Cluster;
  readonly groupId: string;
  readonly generationId: number;
  readonly memberId: string | null;
  coordinator: Coordinator | null;
  readonly sessionTimeout: number;
  readonly instrumentationEmitter: { emit(event: string, payload: unknown): void };
  readonly maxWaitTime: number;
  readonly minBytes: number;
  readonly maxBytes: number;
  readonly maxBytesPerPartition: number;
  readonly isolationLevel: number;
  readonly rackId: string;
  readonly seekOffset: { has(topic: string, partition: number): boolean };
  readonly subscriptionState: {
    assigned(): readonly Partitions[];
    isPaused(topic: string, partition: number): boolean;
  };
  readonly offsetManager: {
    coordinator: Coordinator | null;
    committedOffsets(): Readonly<Record<string, Readonly<Record<number, unknown>>>>;
    nextOffset(topic: string, partition: number): { toString(): string };
  };
  checkForStaleAssignment(): void;
  filterPartitionsByNode(nodeId: string, partitions: readonly Partitions[]): readonly Partitions[];
  seekOffsets(partitions: readonly Partitions[]): Promise<void>;
  getActiveTopicPartitions(): Readonly<Record<string, ReadonlySet<number>>>;
  recoverFromFetch(error: unknown): Promise<void>;
  fetch(nodeId: string): Promise<readonly unknown[]>;
  heartbeat(options: { readonly interval: number }): Promise<void>;
}

/** A partition that could not be read is left alone for so long, in ms: a refusal is answered at once. */
const UNREADABLE_AGAIN_MS = 250;
/** A batch that cannot be unpacked, and whose dead letter could not be written, is looked at again after so long, in ms. */
const UNREAD_AGAIN_MS = 2000;
/** kafkajs's name of the event. */
const HEARTBEAT = "consumer.heartbeat";
/** They say that another broker leads the partition now, or none. */
const STALE = new Set([
  "LEADER_NOT_AVAILABLE",
  "NOT_LEADER_FOR_PARTITION",
  "FENCED_LEADER_EPOCH",
  "UNKNOWN_LEADER_EPOCH",
  "UNKNOWN_TOPIC_OR_PARTITION",
  "REPLICA_NOT_AVAILABLE",
  "KAFKA_STORAGE_ERROR",
]);
const OUT_OF_RANGE = "OFFSET_OUT_OF_RANGE";
/** They say that a broker cannot be reached. */
const CLOSED = "KafkaJSConnectionClosedError";
const AWAY = new Set([
  CLOSED,
  "KafkaJSConnectionError",
  "KafkaJSBrokerNotFound",
  "KafkaJSRequestTimeoutError",
]);
/** They say that another broker coordinates the group now, or will. */
const MOVING = new Set([
  "NOT_COORDINATOR_FOR_GROUP",
  "GROUP_COORDINATOR_NOT_AVAILABLE",
  "GROUP_LOAD_IN_PROGRESS",
]);
/** A heartbeat that was not heard is repeated after so long, in ms. */
const BEAT_AGAIN_MS = 500;

/** The heartbeats of a group. */
interface Beat {
  /** In ms of the monotonic clock, as all times here. */
  dueMs: number;
  failingSinceMs: number | undefined;
  /** When the coordinator took the last one. */
  heardMs: number | undefined;
  /** One that is on its way. */
  now: Promise<void> | undefined;
  /** The search for the group's new coordinator. */
  search?: Promise<void> | undefined;
}

/** Asked again before this time, in ms of the monotonic clock, by partition. */
const notBefore: WeakMap<Group, Map<string, number>> = new WeakMap();
const beats: WeakMap<Group, Beat> = new WeakMap();
/** Partitions whose broker could not be reached, by id. */
const unreached: WeakMap<Group, Set<string>> = new WeakMap();
let patched = false;

/**
 * kafkajs 2.2.4 throws away a whole answer for one partition's error, and joins the group again where only a leader has
 * changed: all partitions of all members stood for that. Here the others of the answer are delivered, and the one is
 * told of and tried again. A right that was taken from one topic no longer ends the membership.
 *
 * Its heartbeats go by the wall clock: set back ten minutes, none is sent for ten minutes and the group takes the
 * member for dead. And where the coordinator's broker goes it asks the one that is gone until it gives up and joins
 * anew, a quarter of a minute later.
 *
 * @param hooksOf the hooks of a group's connections; a group without any fails as it did.
 */
export function patchGroupFetch(hooksOf: (cluster: Cluster) => FetchHooks | undefined): void {
  if (patched) return;
  patched = true;
  patchFetchResponse();
  for (const response of FETCH_RESPONSES) (response as FetchResponse).parse = (data) => Promise.resolve(data);
  const group = (ConsumerGroup as { readonly prototype: Group }).prototype;
  const { recoverFromFetch } = group;

  group.fetch = async function (this: Group, nodeId: string): Promise<readonly unknown[]> {
    try {
      return await fetchFrom(this, nodeId, hooksOf(this.cluster));
    } catch (error) {
      await this.recoverFromFetch(error);
      return [];
    }
  };

  group.recoverFromFetch = async function (this: Group, error: unknown): Promise<void> {
    const { name } = error as Error;
    if (hooksOf(this.cluster) === undefined || !isStale(error) && !AWAY.has(name)) {
      return await recoverFromFetch.call(this, error);
    }
    // Only the fetch from this broker waits; those from others go on.
    if (name === CLOSED) await recoverFromFetch.call(this, error);
    await this.cluster.refreshMetadata().catch(() => {});
    if (AWAY.has(name)) await pause(UNREADABLE_AGAIN_MS);
  };

  group.heartbeat = async function (this: Group, { interval }): Promise<void> {
    const beat = beats.get(this) ??
      { dueMs: -Infinity, failingSinceMs: undefined, heardMs: undefined, now: undefined };
    beats.set(this, beat);
    const hooks = hooksOf(this.cluster);
    beat.now ??= heartbeat(this, interval, beat, hooks).finally(() => beat.now = undefined);
    await beat.now;
  };
}

/** Whether an error says that a broker does not answer. */
export const isUnreached = ({ name }: Error): boolean => AWAY.has(name);

/** The errors of an answer. */
export function failuresOf(
  { responses }: FetchAnswer,
): readonly { readonly at: TopicPartition; readonly error: Error & { readonly type?: string } }[] {
  return responses.flatMap(({ topicName: topic, partitions }) =>
    partitions.filter(({ errorCode }) => errorCode !== 0).map(({ partition, errorCode }) => {
      const error: Error & { type?: string } = createErrorFromCode(errorCode);
      const at = { topic, partition };
      return { at, error: error.type === OUT_OF_RANGE ? new KafkaJSOffsetOutOfRange(error, at) : error };
    })
  );
}

async function fetchFrom(
  group: Group,
  nodeId: string,
  hooks: FetchHooks | undefined,
): Promise<readonly unknown[]> {
  await group.cluster.refreshMetadataIfNecessary();
  group.checkForStaleAssignment();
  const assigned = group.subscriptionState.assigned();
  if (hooks !== undefined) tellAway(group, assigned, hooks);
  const here = group.filterPartitionsByNode(nodeId, assigned);
  await group.seekOffsets(here);
  const requests = requestsOf(group, here);
  if (requests.length === 0) {
    if (hooks !== undefined) tellReached(group, here, hooks);
    await pause(group.maxWaitTime);
    return [];
  }
  const packed = await ask(group, nodeId, requests).catch((error) => {
    if (hooks !== undefined && isUnreached(error)) tellUnreached(group, requests, hooks, error);
    throw error;
  });
  if (hooks !== undefined) tellReached(group, here, hooks);
  const offsets = offsetsOf(requests);
  const { answer, unread } = await readAnswer(packed, (at) => Number(offsets.get(partitionId(at)) ?? 0));
  const failures = failuresOf(answer);
  const [first] = failures;
  if (hooks !== undefined) await recover(group, answer, failures, hooks);
  else if (first !== undefined) throw first.error;
  if (hooks === undefined) return batchesOf(group, passOver(answer, unread), offsets);
  for (const batch of unread) tellUnread(group, batch, hooks);
  return batchesOf(group, answer, offsets);
}

async function ask(group: Group, nodeId: string, topics: Requests): Promise<FetchAnswer> {
  const broker = await group.cluster.findBroker({ nodeId }) as Broker;
  const { maxWaitTime, minBytes, maxBytes, isolationLevel, rackId } = group;
  const question = { maxWaitTime, minBytes, maxBytes, isolationLevel, rackId, topics };
  return await broker.fetch(question as never) as unknown as FetchAnswer;
}

/** Kafka goes on naming a broker that was killed as the leader until its session is over, by default 9 s. */
function tellUnreached(group: Group, requests: Requests, hooks: FetchHooks, error: Error): void {
  const known = unreached.get(group) ?? new Set();
  unreached.set(group, known);
  for (const { topic, partitions } of requests) {
    for (const { partition } of partitions) {
      known.add(partitionId({ topic, partition }));
      hooks.unreadable({ topic, partition }, error);
    }
  }
}

/** Also of those that are paused meanwhile, which no answer is about. */
function tellReached(group: Group, here: readonly Partitions[], hooks: FetchHooks): void {
  for (const { topic, partitions } of here) {
    for (const partition of partitions) {
      const at = { topic, partition };
      if (unreached.get(group)?.delete(partitionId(at))) hooks.readable(at);
    }
  }
}

/** Others are read meanwhile. */
function tellUnread(group: Group, batch: UnreadAt, hooks: FetchHooks): void {
  leaveAlone(group, batch, Infinity);
  hooks.unread(batch).then(
    () => leaveAlone(group, batch, 0),
    () => leaveAlone(group, batch, UNREAD_AGAIN_MS),
  );
}

type Requests = readonly {
  readonly topic: string;
  readonly partitions: readonly { readonly partition: number; readonly fetchOffset: string }[];
}[];

function requestsOf(group: Group, here: readonly Partitions[]): Requests {
  const committed = group.offsetManager.committedOffsets();
  const active = group.getActiveTopicPartitions();
  const nowMs = performance.now();
  const isDue = (at: TopicPartition) => (notBefore.get(group)?.get(partitionId(at)) ?? 0) <= nowMs;
  return here.map(({ topic, partitions }) => ({
    topic,
    partitions: partitions.filter((partition) =>
      // kafkajs knows where to read on, and nobody has paused it.
      committed[topic]?.[partition] !== undefined && active[topic]?.has(partition) &&
      isDue({ topic, partition })
    ).map((partition) => ({
      partition,
      fetchOffset: group.offsetManager.nextOffset(topic, partition).toString(),
      maxBytes: group.maxBytesPerPartition,
    })),
  })).filter(({ partitions }) => partitions.length > 0);
}

function offsetsOf(requests: Requests): ReadonlyMap<string, string> {
  return new Map(
    requests.flatMap(({ topic, partitions }) =>
      partitions.map(({ partition, fetchOffset }) => [partitionId({ topic, partition }), fetchOffset])
    ),
  );
}

function batchesOf(
  group: Group,
  { responses }: FetchAnswer,
  offsets: ReadonlyMap<string, string>,
): readonly unknown[] {
  return responses.flatMap(({ topicName: topic, partitions }) =>
    partitions.filter(({ partition, errorCode }) =>
      errorCode === 0 && !group.seekOffset.has(topic, partition) &&
      !group.subscriptionState.isPaused(topic, partition)
    ).map((data) => new Batch(topic, offsets.get(partitionId({ topic, partition: data.partition })), data))
  );
}

async function recover(
  group: Group,
  { responses }: FetchAnswer,
  failures: ReturnType<typeof failuresOf>,
  hooks: FetchHooks,
): Promise<void> {
  for (const { topicName: topic, partitions } of responses) {
    for (const { partition, errorCode } of partitions) {
      if (errorCode === 0) hooks.readable({ topic, partition });
    }
  }
  for (const { at, error } of failures) {
    leaveAlone(group, at);
    if (error.type !== OUT_OF_RANGE) hooks.unreadable(at, error);
    // What cannot be found out now is asked again with the next fetch.
    else await hooks.outOfRange(at).catch(() => {});
  }
  // Whoever leads it now is asked next.
  if (failures.some(({ error }) => isStale(error))) await group.cluster.refreshMetadata().catch(() => {});
}

function tellAway(group: Group, assigned: readonly Partitions[], hooks: FetchHooks): void {
  for (const { topic, partitions } of assigned) {
    for (const partition of partitions) {
      const error = partitionError(group.cluster, topic, partition);
      if (error !== undefined) hooks.unreadable({ topic, partition }, error);
    }
  }
}

function leaveAlone(group: Group, at: TopicPartition, forMs: number = UNREADABLE_AGAIN_MS): void {
  const all = notBefore.get(group) ?? new Map<string, number>();
  notBefore.set(group, all.set(partitionId(at), performance.now() + forMs));
}

function isStale(error: unknown): boolean {
  const { type, name } = error as { readonly type?: string; readonly name?: string };
  return STALE.has(type ?? "") || name === "KafkaJSTopicMetadataNotLoaded";
}

async function heartbeat(
  group: Group,
  intervalMs: number,
  beat: Beat,
  hooks: FetchHooks | undefined,
): Promise<void> {
  const { groupId, generationId: groupGenerationId, memberId } = group;
  if (!memberId || performance.now() < beat.dueMs) return;
  const payload = { groupId, memberId, groupGenerationId };
  try {
    await group.coordinator?.heartbeat(payload);
  } catch (error) {
    if (hooks === undefined) throw error;
    const ended = isUnknown(error) && wasAlive(group, beat) ? hooks.takenOut() : undefined;
    // Otherwise kafkajs joins again at once.
    if (ended !== undefined) throw new KafkaJSNonRetriableError(ended, { cause: ended });
    if (!isMoving(error)) throw error;
    return missBeat(group, beat, error as Error);
  }
  group.instrumentationEmitter.emit(HEARTBEAT, payload);
  beat.failingSinceMs = undefined;
  beat.heardMs = performance.now();
  beat.dueMs = performance.now() + intervalMs;
}

/**
 * The coordinator's broker is away and another takes over, which knows us: it is looked for while records are
 * delivered. Only who was not heard for a whole session is no member any more.
 */
function missBeat(group: Group, beat: Beat, error: Error): void {
  const nowMs = performance.now();
  beat.failingSinceMs ??= nowMs;
  beat.dueMs = nowMs + BEAT_AGAIN_MS;
  if (nowMs - beat.failingSinceMs > group.sessionTimeout) {
    beat.failingSinceMs = undefined;
    throw new KafkaJSNonRetriableError(error, { cause: error });
  }
  beat.search ??= group.cluster.findGroupCoordinator({ groupId: group.groupId }).then((found) => {
    group.coordinator = found as Coordinator;
    group.offsetManager.coordinator = group.coordinator;
  }, () => {}).finally(() => beat.search = undefined);
}

const isUnknown = (error: unknown) => (error as { readonly type?: string }).type === "UNKNOWN_MEMBER_ID";

/** Who was heard within its session did not lose it by silence. */
function wasAlive({ sessionTimeout }: Group, { heardMs }: Beat): boolean {
  return heardMs !== undefined && performance.now() - heardMs < sessionTimeout;
}

function isMoving(error: unknown): boolean {
  const { type, name } = error as { readonly type?: string; readonly name?: string };
  return AWAY.has(name ?? "") || MOVING.has(type ?? "");
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
