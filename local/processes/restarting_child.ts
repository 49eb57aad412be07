// A child that is started again when it ends unasked, after a pause that grows while it keeps ending.

import type { ChildFailedError } from "./child.ts";
import { RestartPause } from "./restart_pause.ts";

/** What is needed of a running child. */
export interface RunningChild {
  readonly ended: Promise<Deno.CommandStatus>;
  readonly stop: (graceMs: number) => Promise<void>;
  readonly kill: () => void;
  readonly failure: (status: Deno.CommandStatus) => ChildFailedError;
}

/** What a restarting child needs. */
export interface RestartingChildPorts<Child extends RunningChild> {
  readonly spawn: () => Child;
  /** Resolves when the child is up; rejects when it ends before. */
  readonly ready: (child: Child) => Promise<void>;
  /** Called when it failed, with the pause before the next start. */
  readonly onCrash: (why: ChildFailedError, pauseMs: number) => void;
  /** Called when it ended with code 0; it is not started again. */
  readonly onDone: () => void;
  readonly nowMs: () => number;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

/**
 * Keeps one child running: when it ends unasked, starts it again after a pause that grows.
 * `start()` once, `stop()` and `kill()` at any time and any number of times.
 */
export class RestartingChild<Child extends RunningChild = RunningChild> {
  readonly #ports: RestartingChildPorts<Child>;
  readonly #stopping = new AbortController();
  readonly #pause = new RestartPause();
  #child: Child | undefined;
  #loop: Promise<void> = Promise.resolve();

  constructor(ports: RestartingChildPorts<Child>) {
    this.#ports = ports;
  }

  /**
   * Resolves when the child is up for the first time.
   *
   * @throws {ChildFailedError} when it ends before; then it is not started again.
   */
  async start(): Promise<void> {
    const child = this.#spawn();
    await this.#ports.ready(child);
    this.#loop = this.#watch(child);
  }

  async stop(graceMs: number): Promise<void> {
    this.#stopping.abort();
    await this.#child?.stop(graceMs);
    await this.#loop;
  }

  /** Ends the child at once, so that it is started again. */
  restart(): void {
    this.#child?.kill();
  }

  /** Ends the child at once. */
  kill(): void {
    this.#stopping.abort();
    this.#child?.kill();
  }

  #spawn(): Child {
    return this.#child = this.#ports.spawn();
  }

  async #watch(first: Child): Promise<void> {
    let child = first;
    for (;;) {
      const startedMs = this.#ports.nowMs();
      const status = await child.ended;
      if (this.#stopping.signal.aborted) return;
      if (status.success) return this.#ports.onDone();
      const pauseMs = this.#pause.after(this.#ports.nowMs() - startedMs);
      this.#ports.onCrash(child.failure(status), pauseMs);
      await this.#ports.sleep(pauseMs, this.#stopping.signal);
      if (this.#stopping.signal.aborted) return;
      child = this.#spawn();
    }
  }
}
