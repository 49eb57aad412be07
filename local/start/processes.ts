// The child processes of `start`, by the stage in which they stop.

import { pause } from "../../shared/wait.ts";
import { StartError } from "../../shared/process/start_error.ts";
import { Child, type ChildCommand, type ChildFailedError, type OnLine } from "../processes/child.ts";
import type { ChildLine } from "../processes/child_output.ts";
import { RestartingChild } from "../processes/restarting_child.ts";
import { listeningPort } from "./commands.ts";

/** Parts of one stage stop together, stages in this order: later ones serve the earlier ones. */
export const STAGES = ["front", "workers", "model", "kafka", "postgres"] as const;
/** See {@link STAGES}. */
export type Stage = (typeof STAGES)[number];

/** Called with what happens to them. */
export interface ProcessesListener {
  readonly onLine: (name: string, line: ChildLine) => void;
  /** A part failed and is started again after a pause. */
  readonly onCrash: (name: string, why: ChildFailedError, pauseMs: number) => void;
  /** A part has done its work and ended by itself. */
  readonly onDone: () => void;
}

interface Stoppable {
  readonly stop: (graceMs: number) => Promise<void>;
  readonly kill: () => void;
}

/** The child processes of `start`, by the stage in which they stop; none is started after that. */
export class Processes {
  readonly #listener: ProcessesListener;
  readonly #running = new Map<Stage, Stoppable[]>(STAGES.map((stage) => [stage, []]));
  readonly #restarting = new Map<string, RestartingChild<Child>>();
  #stopping = false;

  constructor(listener: ProcessesListener) {
    this.#listener = listener;
  }

  get stopping(): boolean {
    return this.#stopping;
  }

  /** Stops something with its stage. */
  add(stage: Stage, stoppable: Stoppable): void {
    this.#running.get(stage)?.push(stoppable);
  }

  /** Keeps a part running from now on. Resolves with its port once it is up. */
  async keep(stage: Stage, command: ChildCommand): Promise<number> {
    const port = Promise.withResolvers<number>();
    const kept = this.#kept(command, port.resolve);
    this.#restarting.set(command.name, kept);
    this.add(stage, kept);
    await kept.start();
    return await port.promise;
  }

  /** Ends a part that is kept running, which starts it again. */
  restart(name: string): void {
    if (!this.#stopping) this.#restarting.get(name)?.restart();
  }

  /** A process whose lines reach the listener; the caller stops it. */
  spawn(command: ChildCommand): Child {
    return new Child(command, (line) => this.#listener.onLine(command.name, line));
  }

  #kept(command: ChildCommand, onPort: (port: number) => void): RestartingChild<Child> {
    this.refuseWhenStopping();
    const { name } = command;
    return new RestartingChild<Child>({
      spawn: () => this.spawn(command),
      ready: async (child) => onPort(await child.waitFor(listeningPort)),
      onCrash: (why, pauseMs) => this.#listener.onCrash(name, why, pauseMs),
      onDone: this.#listener.onDone,
      nowMs: () => performance.now(),
      sleep: pause,
    });
  }

  /**
   * Runs what does one thing and ends.
   *
   * @throws {ChildFailedError} when it does not succeed.
   */
  async runOnce(stage: Stage, command: ChildCommand, onLine: OnLine = () => {}): Promise<void> {
    this.refuseWhenStopping();
    const child = new Child(command, (line) => {
      onLine(line);
      this.#listener.onLine(command.name, line);
    });
    this.add(stage, child);
    const status = await child.ended;
    if (!status.success) throw child.failure(status);
  }

  /** Stops all stages in their order, each within its grace in ms. */
  async stop(graceMsOf: (stage: Stage) => number): Promise<void> {
    this.#stopping = true;
    for (const stage of STAGES) {
      await Promise.all(this.#running.get(stage)?.map((part) => part.stop(graceMsOf(stage))) ?? []);
    }
  }

  /** Ends everything at once. */
  kill(): void {
    this.#stopping = true;
    for (const running of this.#running.values()) running.forEach((part) => part.kill());
  }

  /** @throws {StartError} once stopping has begun: nobody would stop what is started now. */
  refuseWhenStopping(): void {
    if (this.#stopping) throw new StartError("Stopped before everything was up.");
  }
}
