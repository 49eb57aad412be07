// The limit on people's statements in the embedded Postgres, which can do one thing at a time and cannot be interrupted.

import { STATEMENT_BEGAN, STATEMENT_ENDED } from "../embedded/postgres/statement_events.ts";
import type { ChildLine } from "../processes/child_output.ts";

/** How long one may take, in ms. Ten workers wait for it. */
export const STATEMENT_LIMIT_MS = 5_000;

/** What the limit does. */
export interface StatementLimitPorts {
  /** Calls back after a while, unless it is cancelled. */
  readonly later: (ms: number, callBack: () => void) => () => void;
  /** Ends the process and starts it again; what was committed is in its files. */
  readonly restart: () => void;
}

/** Listens to the log of the embedded Postgres. */
export class StatementLimit {
  readonly #ports: StatementLimitPorts;
  #cancel: () => void = () => {};

  constructor(ports: StatementLimitPorts) {
    this.#ports = ports;
  }

  onLine(line: ChildLine): void {
    if (line.kind !== "event") return;
    if (line.message !== STATEMENT_BEGAN && line.message !== STATEMENT_ENDED) return;
    this.#cancel();
    if (line.message === STATEMENT_BEGAN) {
      this.#cancel = this.#ports.later(STATEMENT_LIMIT_MS, this.#ports.restart);
    }
  }

  /** Nothing runs any more. */
  clear(): void {
    this.#cancel();
  }
}
