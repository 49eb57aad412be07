// Outbox: the commands that one event brings, in order.

import type { Command, Notice } from "./events.ts";

/** Collects commands. */
export class Outbox<R> {
  #commands: Command<R>[] = [];

  /** Asks for something. */
  emit(command: Command<R>): void {
    this.#commands.push(command);
  }

  /** A decision worth a line in the log. */
  notice(notice: Notice<R>): void {
    this.#commands.push({ type: "notice", notice });
  }

  /** Everything asked for since the last call. */
  take(): readonly Command<R>[] {
    const commands = this.#commands;
    this.#commands = [];
    return commands;
  }
}
