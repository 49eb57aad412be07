// What operators hold is not sent, and one consumer's share of what they limit is kept: checked from outside.

import { type Flow, FREE_FLOW } from "../../consumer/core/policies/flow.ts";
import { expect } from "./violation.ts";
import type { SimRecord, World } from "./world.ts";

/** Rates are looked at over so long, in ms. */
const WINDOW_MS = 10_000;
/** More than the rate that may leave in that time, and what a late timer may make up for, in ms. */
const OVERSHOOT = 1.05;
const SLACK_MS = 100;

/** Watches the flow of one consumer. */
export class LimitWatch {
  readonly #world: World;
  readonly #owned: ReadonlyMap<number, unknown>;
  #flow: Flow = FREE_FLOW;
  /** When attempts left, while the share of the rate was the same. */
  #sentMs: number[] = [];
  #perSecond: number | undefined;

  constructor(world: World, owned: ReadonlyMap<number, unknown>) {
    this.#world = world;
    this.#owned = owned;
  }

  /** Whether the rate may hold back what is ready. */
  get hasRate(): boolean {
    return this.#flow.ratePerSecond !== undefined;
  }

  told(flow: Flow): void {
    this.#flow = flow;
  }

  /** Attempts at once that may be out, of so many that the pool takes. */
  most(permits: number): number {
    const { permitsMax } = this.#flow;
    return permitsMax === undefined
      ? permits
      : Math.min(permits, Math.max(1, Math.floor(permitsMax * this.#share)));
  }

  /** An attempt leaves; so many are out with it. */
  sent({ partition, offset }: SimRecord, out: number): void {
    const topic = this.#world.topicOf(partition);
    const held = this.#flow.holds.some((hold) =>
      (hold.topic ?? topic) === topic && (hold.partition ?? partition) === partition
    );
    expect(!held, "what is paused is not sent", () => `${partition}@${offset}`);
    const most = this.most(Infinity);
    expect(out <= most, "the group's ceiling is kept", () => `${out} of ${most}`);
    this.#rate();
  }

  #rate(): void {
    const { nowMs } = this.#world.timeline;
    const { ratePerSecond } = this.#flow;
    const perSecond = ratePerSecond === undefined ? undefined : ratePerSecond * this.#share;
    if (perSecond !== this.#perSecond) this.#sentMs = [];
    this.#perSecond = perSecond;
    if (perSecond === undefined) return;
    this.#sentMs.push(nowMs);
    while ((this.#sentMs[0] ?? nowMs) < nowMs - WINDOW_MS) this.#sentMs.shift();
    const overMs = nowMs - (this.#sentMs[0] ?? nowMs) + SLACK_MS;
    const most = 1 + OVERSHOOT * perSecond * overMs / 1000;
    const count = this.#sentMs.length;
    expect(count <= Math.ceil(most), "the group's rate is kept", () => `${count} in ${overMs} ms of ${most}`);
  }

  get #share(): number {
    return this.#owned.size / this.#world.logs.length;
  }
}
