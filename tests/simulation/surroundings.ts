// What a consumer process lives in, and what its parts share.

import type { LetterLog } from "../../consumer/core/parking/letter_log.ts";
import type { Assigned, Event } from "../../consumer/core/events.ts";
import type { Machine as ProductionMachine, MachineConfig } from "../../consumer/core/machine.ts";
import type { Broker } from "./broker.ts";
import type { LetterTopic } from "./letters.ts";
import type { BalancerClass } from "./sim_pool.ts";
import type { Workers } from "./workers.ts";
import type { SimRecord, World } from "./world.ts";

/** Makes machines: the production one, or one with a planted defect. */
export type MachineClass = new (
  config: MachineConfig,
  random: () => number,
  nowMs: number,
) => ProductionMachine<SimRecord>;

/** What is tested. */
export interface Core {
  readonly Machine: MachineClass;
  readonly Balancer: BalancerClass;
  readonly LetterLog: typeof LetterLog;
}

/** Everything a member lives in. */
export interface Surroundings {
  readonly core: Core;
  readonly world: World;
  readonly broker: Broker;
  readonly workers: Workers;
  readonly letters: LetterTopic;
}

/** The process that a part belongs to. */
export interface Process {
  /** False from the moment it was killed or has ended. */
  readonly alive: boolean;
  readonly incarnation: number;
  /** Something happened that the machine must handle. */
  feed(event: Event<SimRecord>): void;
  /** A number from 0 to 1 for the process's next chance. */
  roll(): number;
  /** A partition is the process's now. */
  assigned(at: Assigned, epoch: number): void;
  /** A line of the story. */
  note(line: () => string): void;
}
