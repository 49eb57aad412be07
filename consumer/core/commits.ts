// Commits: when to commit and what. One commit at a time, of every partition that has something new to say.

import type { Delivery } from "./delivery.ts";
import { encodeOffsetMap } from "./offsets/offset_map.ts";
import type { CommitMark } from "../records/position.ts";
import type { Partition } from "./partition.ts";
import type { DeliveryPolicy } from "./policies/delivery_mode.ts";

/** Wait after a refused commit, in ms. */
const RETRY_MS = 500;

/** One partition's line in a commit. */
export interface PartitionCommit<R> {
  readonly partition: Partition<R>;
  readonly mark: CommitMark;
}

/** A commit on its way to the broker. */
export interface Commit<R> {
  readonly id: number;
  readonly marks: readonly PartitionCommit<R>[];
}

interface Pending<R> extends Commit<R> {
  /** Records that it settles for good, where their permits wait for that. */
  readonly covers: readonly Delivery<R>[];
}

/** Decides on commits. */
export class Commits<R> {
  readonly #policy: DeliveryPolicy;
  readonly #intervalMs: number;
  readonly #metadataBytesMax: number;
  readonly #dirty: Set<Partition<R>> = new Set();
  readonly #pending: Map<number, Pending<R>> = new Map();
  #unconfirmed: Delivery<R>[] = [];
  #dueMs: number | undefined;
  /** After a refusal nothing is tried again before this time, in ms. */
  #notBeforeMs = -Infinity;
  #lastMs = -Infinity;
  #ids = 0;
  #failingSinceMs: number | undefined;

  constructor(policy: DeliveryPolicy, intervalMs: number, metadataBytesMax: number) {
    this.#metadataBytesMax = metadataBytesMax;
    this.#policy = policy;
    this.#intervalMs = intervalMs;
  }

  /** Since when the broker refuses commits, in ms. */
  get failingSinceMs(): number | undefined {
    return this.#failingSinceMs;
  }

  /** When the next commit is due, in ms; undefined while one is on its way or nothing is new. */
  get dueMs(): number | undefined {
    if (this.#pending.size > 0 || this.#dueMs === undefined) return undefined;
    return Math.max(this.#dueMs, this.#notBeforeMs);
  }

  /** Whether everything there was to say is confirmed. */
  get allConfirmed(): boolean {
    return this.#pending.size === 0 && this.#dirty.size === 0;
  }

  /** A partition has something new to commit. */
  markDirty(partition: Partition<R>, nowMs: number): void {
    this.#dirty.add(partition);
    if (this.#policy.timing === "each") this.#due(nowMs);
    if (this.#policy.timing === "interval") this.#due(Math.max(nowMs, this.#lastMs + this.#intervalMs));
  }

  /** A record is settled and keeps its permit until a commit that covers it is confirmed. */
  holdUntilCommitted(delivery: Delivery<R>): void {
    this.#unconfirmed.push(delivery);
  }

  /** Commits what is settled as soon as possible: a batch is whole, or partitions are about to go. */
  flushSoon(nowMs: number): void {
    if (this.#dirty.size > 0) this.#due(nowMs);
  }

  /**
   * The commit to make now; undefined when nothing is new. A pending one does not stop it.
   *
   * @param leaving partitions may be somebody else's soon: then even `fast` commits what is settled and no more.
   */
  nextCommit(leaving: boolean, nowMs: number): Commit<R> | undefined {
    this.#dueMs = undefined;
    const marks: PartitionCommit<R>[] = [];
    for (const partition of this.#dirty) {
      const mark = this.#markOf(partition, leaving, nowMs);
      const { committed } = partition;
      // Held records need a confirmed commit even where it says nothing new.
      const news = mark.offset !== committed?.offset || mark.metadata !== committed.metadata;
      if (news || this.#unconfirmed.length > 0) marks.push({ partition, mark });
    }
    this.#dirty.clear();
    if (marks.length === 0) return undefined;
    const commit = { id: ++this.#ids, marks, covers: this.#unconfirmed };
    for (const { partition } of marks) {
      partition.committed = undefined;
      partition.commitSent = commit.id;
    }
    this.#unconfirmed = [];
    this.#pending.set(commit.id, commit);
    this.#lastMs = nowMs;
    return commit;
  }

  /**
   * The broker's word on a commit. Returns the records that need not be held any more.
   *
   * @param refused lines of a commit that went well for the others.
   */
  finished(
    id: number,
    ok: boolean,
    nowMs: number,
    refused: readonly PartitionCommit<R>[] = [],
  ): readonly Delivery<R>[] {
    const commit = this.#pending.get(id);
    if (commit === undefined) return [];
    this.#pending.delete(id);
    if (!ok) {
      this.#refused(commit, nowMs);
      return commit.covers.filter((delivery) => delivery.partition.revoked);
    }
    for (const line of commit.marks) if (!refused.includes(line)) this.#confirmed(id, line, nowMs);
    const without = new Set(refused.map(({ partition }) => partition));
    const covers = commit.covers.filter(({ partition }) => !without.has(partition) || partition.revoked);
    if (refused.length === 0) {
      this.#failingSinceMs = undefined;
      this.#notBeforeMs = -Infinity;
    } else {
      const held = commit.covers.filter((delivery) => without.has(delivery.partition));
      this.#refused({ id, marks: refused, covers: held }, nowMs);
    }
    if (this.#policy.timing === "each" && this.#dirty.size > 0) this.#due(nowMs);
    return covers;
  }

  /** A partition is gone: nothing of it is committed any more. */
  forget(partition: Partition<R>): readonly Delivery<R>[] {
    this.#dirty.delete(partition);
    this.#forgetRefusal();
    const gone = this.#unconfirmed.filter((delivery) => delivery.partition === partition);
    if (gone.length > 0) {
      this.#unconfirmed = this.#unconfirmed.filter((delivery) => delivery.partition !== partition);
    }
    return gone;
  }

  #confirmed(id: number, { partition, mark }: PartitionCommit<R>, nowMs: number): void {
    if (id === partition.commitSent) partition.committed = mark;
    if (id < partition.confirmedCommit && !partition.revoked) {
      // It came after a later one was confirmed, so the broker may have put the older mark over the newer.
      partition.committed = undefined;
      this.#dirty.add(partition);
      this.#due(nowMs);
    }
    partition.confirmedCommit = Math.max(id, partition.confirmedCommit);
  }

  #markOf({ ledger }: Partition<R>, leaving: boolean, nowMs: number): CommitMark {
    if (this.#policy.extent === "received" && !leaving) return { offset: ledger.position, metadata: "" };
    const offset = ledger.committable();
    // Where nothing above the watermark is settled or sent there is no map.
    return {
      offset,
      metadata: ledger.mapEntries === 0 ? "" : encodeOffsetMap(ledger, this.#metadataBytesMax, nowMs),
    };
  }

  #refused(commit: Pending<R>, nowMs: number): void {
    this.#failingSinceMs ??= nowMs;
    for (const { partition } of commit.marks) if (!partition.revoked) this.#dirty.add(partition);
    this.#unconfirmed = [
      ...commit.covers.filter((delivery) => !delivery.partition.revoked),
      ...this.#unconfirmed,
    ];
    this.#notBeforeMs = nowMs + RETRY_MS;
    if (this.#dirty.size > 0) this.#due(nowMs);
    this.#forgetRefusal();
  }

  /** Clears the cause once nothing of ours is left to commit. */
  #forgetRefusal(): void {
    if (this.allConfirmed) this.#failingSinceMs = undefined;
  }

  #due(atMs: number): void {
    this.#dueMs = Math.min(this.#dueMs ?? Infinity, atMs);
  }
}
