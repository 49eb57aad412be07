// Partition: an assigned partition with its ledger and its records that wait.

import type { Delivery } from "./delivery.ts";
import { DueQueue } from "./structures/due_queue.ts";
import { type CommitMark, partitionId, type TopicPartition } from "../records/position.ts";
import { Ledger } from "./offsets/ledger.ts";
import type { OffsetMap } from "./offsets/offset_map.ts";
import { ParkedKeys } from "./parking/parked_keys.ts";
import { RingQueue } from "./structures/ring_queue.ts";

/** State of one partition in one assignment. Only the machine changes it. */
export class Partition<R> implements TopicPartition {
  readonly topic: string;
  readonly partition: number;
  readonly id: string;
  /** The assignment it belongs to; results of another epoch are dropped. */
  readonly epoch: number;
  readonly ledger: Ledger<Delivery<R>>;
  /** Never sent, in order of offset. */
  readonly newRecords: RingQueue<Delivery<R>> = new RingQueue();
  /** Never sent, their lanes released: by offset, so that the oldest goes first and little is settled far ahead. */
  readonly unblocked: DueQueue<Delivery<R>> = new DueQueue();
  /** Sent before and due again. */
  readonly retries: RingQueue<Delivery<R>> = new RingQueue();
  /** Failed before and due again. */
  readonly suspects: RingQueue<Delivery<R>> = new RingQueue();
  /** Behind the first of their lane; the first itself is elsewhere. */
  readonly lanes: Map<string, RingQueue<Delivery<R>>> = new Map();
  /** First of their lanes, waiting for replays of their keys. */
  readonly deferred: Delivery<R>[] = [];
  /** What is known of dead letters. */
  readonly parking: ParkedKeys = new ParkedKeys();
  /**
   * What the broker has; undefined while a commit is on its way, and after a refusal, which may hide that it was taken
   * all the same.
   */
  committed: CommitMark | undefined;
  /** The latest commit that was sent. */
  commitSent = 0;
  /** The latest commit that was confirmed. */
  confirmedCommit = 0;
  /** One past the last offset of the log, as last seen. */
  highWatermark: number;
  /** Unsettled records and their bytes: what backpressure bounds. */
  bufferedBytes = 0;
  /** Records on their way to the dead-letter topic, and their bytes: they have a bound of their own. */
  asideRecords = 0;
  /** Those of them with no attempt that counts: the offset map has nothing to say of them. */
  asideUncounted = 0;
  asideBytes = 0;
  inFlight = 0;
  /** Fetching is paused at our word. */
  paused = false;
  /** An operator holds it: nothing of it is sent. */
  held = false;
  /** It was given up; nothing of it is committed any more. */
  revoked = false;
  /** It waits for its turn in the dispatcher. */
  queued = false;
  /** Whether an earlier owner left anything to ask about. */
  readonly inherits: boolean;
  readonly #inherited: OffsetMap;
  #range = 0;

  constructor(at: TopicPartition, epoch: number, committed: CommitMark, inherited: OffsetMap) {
    this.topic = at.topic;
    this.partition = at.partition;
    this.id = partitionId(at);
    this.epoch = epoch;
    this.ledger = new Ledger(committed.offset);
    this.committed = committed;
    this.highWatermark = committed.offset;
    this.inherits = inherited.settled.length + inherited.attempts.size +
        (inherited.refusedMinutes?.size ?? 0) > 0;
    this.#inherited = inherited;
  }

  /** Whether an earlier owner settled this offset. Offsets are asked in growing order. */
  settledBefore(offset: number): boolean {
    const { settled } = this.#inherited;
    while ((settled[this.#range]?.[1] ?? Infinity) < offset) this.#range += 1;
    const range = settled[this.#range];
    return range !== undefined && offset >= range[0];
  }

  /** Attempts an earlier owner counted against this offset. */
  attemptsBefore(offset: number): number {
    return this.#inherited.attempts.get(offset) ?? 0;
  }

  /** For how many minutes an earlier owner was answered "later". */
  refusedMinutesBefore(offset: number): number {
    return this.#inherited.refusedMinutes?.get(offset) ?? 0;
  }

  /** Never sent, and waiting for nothing but a permit. */
  get startable(): number {
    return this.newRecords.length + this.unblocked.length;
  }

  /** Records that the broker has and we have not settled: received and waiting. */
  backlog(): number {
    return this.ledger.unsettled + Math.max(0, this.highWatermark - this.ledger.position);
  }
}
