// A model of who reads the dead-letter topic for one process: news come late, and after looks that may fail.

import type { LetterLog } from "../../consumer/core/parking/letter_log.ts";
import type { MachineView } from "../../consumer/core/machine.ts";
import type { ReplayPlace } from "../../consumer/core/parking/letters.ts";
import type { TopicPartition } from "../../consumer/records/position.ts";
import { covers } from "./broker.ts";
import { pick } from "./random.ts";
import type { Process, Surroundings } from "./surroundings.ts";

/** Waits between looks while keys are parked, in ms. */
const LOOK_EVERY_MS = [300, 1000, 5000] as const;

interface Home {
  readonly at: TopicPartition;
  readonly epoch: number;
  readonly log: LetterLog;
  position: number;
  looking: boolean;
}

/** A model of one process that reads the dead-letter topic: late, and after reads that may fail. */
export class SimLetters {
  readonly #in: Surroundings;
  readonly #process: Process;
  readonly #homes: Map<number, Home> = new Map();
  readonly #everyMs: number;

  constructor(surroundings: Surroundings, process: Process) {
    this.#in = surroundings;
    this.#process = process;
    this.#everyMs = pick(LOOK_EVERY_MS, process.roll());
  }

  /** A partition is ours, from an offset on. */
  assigned(at: TopicPartition, offset: number, epoch: number): void {
    const { core, world } = this.#in;
    const isRetry = world.isRetry(at.partition);
    const log = new core.LetterLog((origin) =>
      isRetry ? origin.letter !== undefined : origin.offset >= offset
    );
    const home = { at, epoch, log, position: 0, looking: false };
    this.#homes.set(at.partition, home);
    this.#look(home, this.#process.roll() * 200);
  }

  /** After every event: where keys are parked somebody looks. */
  tend({ partitions }: MachineView): void {
    for (const { partition, epoch, parkedKeyCount } of partitions) {
      const home = this.#homes.get(partition);
      if (home?.epoch === epoch && parkedKeyCount > 0) this.#look(home, this.#everyMs);
    }
  }

  #look(home: Home, waitMs: number): void {
    if (home.looking) return;
    home.looking = true;
    this.#after(home, waitMs, () => {
      const settled = this.#settledNow();
      const askedMs = this.#in.world.timeline.nowMs;
      this.#after(home, this.#process.roll() * 100, () => this.#read(home, settled, askedMs));
    });
  }

  #read(home: Home, settled: (place: ReplayPlace) => boolean, askedMs: number): void {
    const { world, letters } = this.#in;
    if (world.active("dead_letters_fail") !== undefined) {
      home.looking = false;
      return this.#look(home, 500);
    }
    const partition = home.at.partition % world.scenario.partitions;
    const upTo = letters.end(partition);
    const news = home.log.take(letters.read(partition, home.position, upTo), upTo, settled, askedMs);
    home.position = upTo;
    this.#after(home, this.#process.roll() * 100, () => {
      home.looking = false;
      this.#process.feed({ type: "letters_read", epoch: home.epoch, at: home.at, news });
    });
  }

  /** What the group has settled at this moment, to be asked later. */
  #settledNow(): (place: ReplayPlace) => boolean {
    const { world: { logs }, broker } = this.#in;
    const marks = logs.map((_, partition) => broker.committed(partition));
    return ({ at, offset }) => {
      const mark = marks[Number(at.split("/")[1])];
      return mark !== undefined && covers(mark, offset);
    };
  }

  #after(home: Home, waitMs: number, act: () => void): void {
    this.#in.world.timeline.after(waitMs, () => {
      if (this.#process.alive && this.#homes.get(home.at.partition) === home) act();
    });
  }
}
