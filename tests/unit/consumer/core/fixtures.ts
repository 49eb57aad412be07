// Deliveries, partitions and a machine at one's fingertips, for the core's tests.

import { MACHINE_CONFIG } from "../../../support/machine_config.ts";
import { Delivery, type Received } from "../../../../consumer/core/delivery.ts";
import type { Assigned, Command, Event } from "../../../../consumer/core/events.ts";
import { Machine, type MachineConfig } from "../../../../consumer/core/machine.ts";
import { Partition } from "../../../../consumer/core/partition.ts";
import type { Answer, Outcome } from "../../../../shared/contract/outcome.ts";

/** What a record is in these tests: its name. */
export type Name = string;

/** A partition of topic `t` that starts at offset 0. */
export function partitionOf(partition = 0, offset = 0): Partition<Name> {
  const committed = { offset, metadata: "" };
  return new Partition({ topic: "t", partition }, 1, committed, { settled: [], attempts: new Map() });
}

/** A delivery that its partition's ledger has received. */
export function deliveryOf(
  partition: Partition<Name>,
  { lane, bytes = 100 }: { readonly lane?: string | undefined; readonly bytes?: number } = {},
): Delivery<Name> {
  const received = recordAt(partition.ledger.position, { bytes });
  return new Delivery(received, partition, lane, 0, 0);
}

/** A record as the source hands it in. */
export function recordAt(offset: number, changes: Partial<Received<Name>> = {}): Received<Name> {
  return { offset, timestampMs: 0, bytes: 100, key: null, record: `@${offset}`, ...changes };
}

/** An answer with this status. */
export function status(code: number, more: Partial<Answer> = {}): Outcome {
  return { kind: "answer", status: code, ...more };
}

const CONFIG: MachineConfig = {
  ...MACHINE_CONFIG,
  batch: { size: 3, lingerMs: 1000 },
  maxAttempts: 3,
  bounds: { records: 10_000, bytes: 1e9 },
};

type CommandOf<T extends Command<Name>["type"]> = Extract<Command<Name>, { type: T }>;

/** A machine with one partition of topic `t`, a clock that only moves when a test moves it, and no randomness. */
export class Driver {
  readonly machine: Machine<Name>;
  nowMs = 1_000_000;
  /** What the last event brought. */
  last: readonly Command<Name>[] = [];
  readonly all: Command<Name>[] = [];

  constructor(changes: Partial<MachineConfig> = {}, permits = 8) {
    this.machine = new Machine({ ...CONFIG, ...changes }, () => 0.5, this.nowMs);
    this.feed({ type: "permits_changed", permits });
  }

  feed(event: Event<Name>): readonly Command<Name>[] {
    this.last = this.machine.handle(event, this.nowMs);
    this.all.push(...this.last);
    return this.last;
  }

  assign(...partitions: Partial<Assigned>[]): this {
    const assigned = partitions.map((each) => ({
      topic: "t",
      partition: 0,
      offset: 0,
      metadata: null,
      ...each,
    }));
    this.feed({ type: "assigned", epoch: 1, partitions: assigned });
    return this;
  }

  /** Records at the offsets from `first` on, all of partition 0 unless another is named. */
  receive(records: readonly Received<Name>[], partition = 0, epoch = 1): this {
    const position = (records.at(-1)?.offset ?? -1) + 1;
    const from = { topic: "t", partition };
    this.feed({ type: "received", epoch, from, records, position, highWatermark: position });
    return this;
  }

  /** Moves the clock and ticks. */
  pass(ms: number): readonly Command<Name>[] {
    this.nowMs += ms;
    return this.feed({ type: "tick" });
  }

  /** Commands of a type in what the last event brought. */
  got<T extends Command<Name>["type"]>(type: T): CommandOf<T>[] {
    return this.last.filter((command): command is CommandOf<T> => command.type === type);
  }

  /** The records sent by the last event. */
  get sent(): number[] {
    return this.got("send").map(({ delivery }) => delivery.offset);
  }

  /** The delivery of an offset that was sent at some time. */
  delivery(offset: number, partition = 0): Delivery<Name> {
    const found = this.all.findLast((command) =>
      command.type === "send" && command.delivery.offset === offset &&
      command.delivery.partition.partition === partition
    );
    if (found?.type !== "send") throw new Error(`Offset ${offset} was never sent`);
    return found.delivery;
  }

  finish(offset: number, outcome: Outcome, partition = 0): readonly Command<Name>[] {
    return this.feed({ type: "attempt_finished", delivery: this.delivery(offset, partition), outcome });
  }

  /** Confirms or refuses the latest commit. */
  answerCommit(ok: boolean): readonly Command<Name>[] {
    const commit = this.all.findLast((command) => command.type === "commit");
    if (commit?.type !== "commit") throw new Error("Nothing was committed");
    return this.feed({ type: "commit_finished", id: commit.commit.id, ok });
  }

  /** Offsets of the last event's commit, by partition. */
  get committed(): Record<string, number> {
    const marks = this.got("commit").flatMap(({ commit }) => commit.marks);
    return Object.fromEntries(marks.map(({ partition, mark }) => [partition.id, mark.offset]));
  }
}
