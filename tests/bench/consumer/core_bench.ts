// What the core itself costs a record, and that it costs the same however many records it holds.
// An iteration is 1,000 records: a result in milliseconds is the cost of one record in microseconds.

import { MACHINE_CONFIG } from "../../support/machine_config.ts";
import type { Delivery, Received } from "../../../consumer/core/delivery.ts";
import { Machine, type MachineConfig } from "../../../consumer/core/machine.ts";
import type { DeliveryMode } from "../../../consumer/core/policies/delivery_mode.ts";

const RECORDS = 1000;
const PERMITS = 80;
/** So much virtual time passes with every record, in ms: 320 records a second. */
const STEP_MS = 3;
const HELD = [1000, 10_000, 100_000, 1_000_000];

const config: MachineConfig = { ...MACHINE_CONFIG, bounds: { records: 1e9, bytes: 1e15 } };

/** A machine that is fed and answered at once, but for a first record that never ends. */
class Rig {
  readonly #machine: Machine<number>;
  readonly #out: Delivery<number>[] = [];
  #offset = 0;
  #nowMs = 0;

  constructor(mode: DeliveryMode = "parallel", commits: "async" | "sync" = "async") {
    this.#machine = new Machine<number>({ ...config, mode, commits }, Math.random, 0);
    this.#feed({ type: "permits_changed", permits: PERMITS });
    const start = { topic: "t", partition: 0, offset: 0, metadata: null };
    this.#feed({ type: "assigned", epoch: 1, partitions: [start] });
  }

  /** The record at the head is on its way and stays there: everything settled behind it is held. */
  stickHead(): this {
    this.receive(1);
    this.#out.shift();
    return this;
  }

  receive(count: number): this {
    for (let left = count; left > 0; left -= 500) {
      const records = Array.from({ length: Math.min(500, left) }, () => this.#record());
      const from = { topic: "t", partition: 0 };
      this.#feed({
        type: "received",
        epoch: 1,
        from,
        records,
        position: this.#offset,
        highWatermark: this.#offset,
      });
    }
    return this;
  }

  /** Answers `count` attempts, the oldest first. */
  settle(count: number): this {
    for (let each = 0; each < count; each++) {
      const delivery = this.#out.shift();
      if (delivery === undefined) throw new Error("Nothing is on its way");
      this.#nowMs += STEP_MS;
      this.#feed({ type: "attempt_finished", delivery, outcome: { kind: "answer", status: 200 } });
    }
    return this;
  }

  #record(): Received<number> {
    const offset = this.#offset++;
    return { offset, timestampMs: 0, bytes: 1024, key: `k${offset % 1000}`, record: offset };
  }

  #feed(event: Parameters<Machine<number>["handle"]>[0]): void {
    for (const command of this.#machine.handle(event, this.#nowMs)) {
      if (command.type === "send") this.#out.push(command.delivery);
      if (command.type === "commit") {
        this.#feed({ type: "commit_finished", id: command.commit.id, ok: true });
      }
    }
    this.#machine.wakeAtMs(this.#nowMs);
  }
}

for (const held of HELD) {
  const rig = new Rig().stickHead().receive(held).settle(held);
  Deno.bench({
    name: `1,000 records, ${held.toLocaleString("en")} settled behind a stuck head`,
    group: "settled",
    baseline: held === HELD[0],
    fn: () => void rig.receive(RECORDS).settle(RECORDS),
  });
}

for (const held of HELD) {
  const rig = new Rig().receive(held);
  Deno.bench({
    name: `1,000 records, ${held.toLocaleString("en")} waiting`,
    group: "waiting",
    baseline: held === HELD[0],
    fn: () => void rig.receive(RECORDS).settle(RECORDS),
  });
}

for (const mode of ["parallel", "key", "partition", "batch", "fast"] as const) {
  for (const commits of ["async", "sync"] as const) {
    const rig = new Rig(mode, commits).receive(10_000);
    Deno.bench({
      name: `1,000 records, ${mode}, ${commits}`,
      group: "mode",
      baseline: mode === "parallel" && commits === "async",
      fn: () => void rig.receive(RECORDS).settle(RECORDS),
    });
  }
}
