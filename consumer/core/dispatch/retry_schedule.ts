// RetrySchedule: the records that wait for their retry, by when it is due.

import type { Delivery } from "../delivery.ts";
import { DueQueue } from "../structures/due_queue.ts";

/** Records that failed and are not due yet. */
export class RetrySchedule<R> {
  readonly #waiting: DueQueue<Delivery<R>> = new DueQueue();

  /** Records that wait. */
  get length(): number {
    return this.#waiting.length;
  }

  /** When the first of them is due, in ms. */
  get nextMs(): number | undefined {
    return this.#waiting.nextMs;
  }

  /** A record waits until `dueMs`. */
  add(delivery: Delivery<R>, dueMs: number): void {
    delivery.wait();
    this.#waiting.push(dueMs, delivery);
  }

  /** A partition went: its records leave at once, or they would be held until they are due. */
  removeDropped(): void {
    this.#waiting.retain(({ state }) => state !== "dropped");
  }

  /** The next record that is due and still waits: an operator may have taken it out meanwhile. */
  takeDue(nowMs: number): Delivery<R> | undefined {
    for (let due = this.#waiting.takeDue(nowMs); due !== undefined; due = this.#waiting.takeDue(nowMs)) {
      if (due.state === "waiting") return due;
    }
    return undefined;
  }
}
