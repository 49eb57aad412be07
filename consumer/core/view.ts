// MachineView: the machine at one moment as plain values, for causes, metrics and operators.

import type { Outcome } from "../../shared/contract/outcome.ts";
import type { TopicPartition } from "../records/position.ts";
import type { CommonFailure } from "./dead_letter_queue.ts";
import type { Delivery, DeliveryState } from "./delivery.ts";
import type { ParkedKey } from "./parking/letters.ts";
import type { Partition } from "./partition.ts";
import type { Parts } from "./parts.ts";
import type { ReadyRecords } from "./dispatch/ready_records.ts";
import type { Pause } from "./policies/breaker.ts";

/** The unsettled record that holds a partition's watermark. */
export interface HeadView {
  readonly offset: number;
  /** The record's own timestamp, in ms. */
  readonly timestampMs: number;
  /** When it was sent for the first time, in ms. */
  readonly sentMs: number | undefined;
  /** When it was received, in ms. */
  readonly receivedMs: number;
  readonly attemptsCounted: number;
  readonly attemptsSent: number;
  readonly lastOutcome: Outcome | undefined;
  readonly state: DeliveryState;
}

/** Records of a partition, one beside the other, that are in the same state. */
export interface OffsetSpan {
  readonly first: number;
  /** The last one's offset, inclusive. */
  readonly last: number;
  readonly state: DeliveryState;
}

/** One partition. */
export interface PartitionView extends TopicPartition {
  /** `topic/partition`. */
  readonly id: string;
  readonly epoch: number;
  /** Records that the broker has and we have not settled: received and waiting. */
  readonly backlog: number;
  /** The offset below which every received record is settled. */
  readonly watermark: number;
  /** The next offset to fetch. */
  readonly position: number;
  /** One past the last offset of the log, as last seen. */
  readonly end: number;
  /** What the broker has confirmed; undefined while a commit is on its way. */
  readonly committed: number | undefined;
  readonly inFlight: number;
  /** What lies between watermark and position, in order of offsets. */
  readonly spans: Iterable<OffsetSpan>;
  /** No new record may start: its offset map has no room for one. */
  readonly mapFull: boolean;
  /** An operator holds it. */
  readonly held: boolean;
  /** Records that wait for nothing but a permit. */
  readonly ready: number;
  /** Those that failed before and are due again. */
  readonly suspects: number;
  readonly head: HeadView | undefined;
  /** Whether it is known which keys are parked. */
  readonly parkingKnown: boolean;
  /** Keys with letters that are not done with. */
  readonly parkedKeys: Iterable<ParkedKey>;
  readonly parkedKeyCount: number;
}

/** The machine at one moment. */
export interface MachineView {
  readonly partitions: readonly PartitionView[];
  readonly inFlight: number;
  readonly permits: number;
  /** Attempts a second that may leave: our share of what operators allow; undefined: no limit. */
  readonly ratePerSecond: number | undefined;
  /** Records that wait for their retry. */
  readonly waiting: number;
  /** Bytes of all records that are held, as they are counted against the bounds. */
  readonly heldBytes: number;
  /** Why delivery is paused. */
  readonly pause: Pause | undefined;
  /** Records that wait for a token of the dead-letter budget. */
  readonly deadLettersWaiting: number;
  readonly floodSinceMs: number | undefined;
  /** What most of them failed with, while they are a flood. */
  readonly commonFailure: CommonFailure | undefined;
  /** Since when the dead-letter topic cannot be written, in ms. */
  readonly deadLettersFailingSinceMs: number | undefined;
  /** Since when the broker refuses commits, in ms. */
  readonly commitsFailingSinceMs: number | undefined;
  readonly stopping: boolean;
  /** The group rebalances: partitions may go soon. */
  readonly rebalancing: boolean;
}

/** Looks at a machine's parts. */
export function viewOf<R>(
  parts: Parts<R>,
  { stopping, rebalancing }: Pick<MachineView, "stopping" | "rebalancing">,
): MachineView {
  const { commits, assignment, judge, dispatcher, retries, deadLetters } = parts;
  return {
    partitions: Array.from(assignment.partitions, (partition) => partitionView(parts.ready, partition)),
    inFlight: dispatcher.inFlight,
    permits: dispatcher.permits,
    ratePerSecond: dispatcher.ratePerSecond,
    waiting: retries.length,
    heldBytes: Array.from(assignment.partitions).reduce(
      (sum, { bufferedBytes, asideBytes }) => sum + bufferedBytes + asideBytes,
      0,
    ),
    pause: judge.breaker.pause,
    deadLettersWaiting: deadLetters.waiting,
    floodSinceMs: deadLetters.floodSinceMs,
    commonFailure: deadLetters.floodSinceMs === undefined ? undefined : deadLetters.commonFailure(),
    deadLettersFailingSinceMs: deadLetters.failingSinceMs,
    commitsFailingSinceMs: commits.failingSinceMs,
    stopping,
    rebalancing,
  };
}

/** The keys whose records these partitions hold back; what a retry topic's partition knows of them is left out. */
export function* parkedKeys({ partitions }: Pick<MachineView, "partitions">): Generator<ParkedKey> {
  for (const { id, parkedKeys } of partitions) {
    for (const key of parkedKeys) if (key.at === id) yield key;
  }
}

function partitionView<R>(ready: ReadyRecords<R>, partition: Partition<R>): PartitionView {
  const { ledger, parking } = partition;
  const head = ledger.first();
  const mapFull = ready.isMapFull(partition);
  return {
    topic: partition.topic,
    partition: partition.partition,
    id: partition.id,
    epoch: partition.epoch,
    backlog: partition.backlog(),
    watermark: ledger.committable(),
    position: ledger.position,
    end: partition.highWatermark,
    committed: partition.committed?.offset,
    inFlight: partition.inFlight,
    spans: { [Symbol.iterator]: () => spansOf(partition)[Symbol.iterator]() },
    mapFull,
    held: partition.held,
    ready: partition.held ? 0 : (mapFull ? 0 : partition.startable) + partition.retries.length,
    suspects: partition.held ? 0 : partition.suspects.length,
    head: head && headView(head),
    parkingKnown: parking.known,
    parkedKeys: parking.keys(),
    parkedKeyCount: parking.size,
  };
}

/** What was received behind the last record that was sent or settled waits, all of it. */
function spansOf<R>({ ledger }: Partition<R>): readonly OffsetSpan[] {
  const spans: OffsetSpan[] = [];
  let end = ledger.committable();
  const add = (first: number, last: number, state: DeliveryState) => {
    end = last + 1;
    const before = spans.at(-1);
    if (before?.state === state) spans[spans.length - 1] = { first: before.first, last, state };
    else spans.push({ first, last, state });
  };
  ledger.walk({
    settled: (first, last) => add(first, last, "settled"),
    unsettled: (offset, { state }) => add(offset, offset, state),
  });
  if (end < ledger.position) add(end, ledger.position - 1, "ready");
  return spans;
}

function headView<R>(head: Delivery<R>): HeadView {
  const { offset, timestampMs, sentMs, receivedMs, attemptsCounted, attemptsSent, lastOutcome, state } = head;
  return { offset, timestampMs, sentMs, receivedMs, attemptsCounted, attemptsSent, lastOutcome, state };
}
