// Group commit: what is asked for while a statement runs shares the next one.

import { currentContext, doneFor, type TraceContext } from "../../shared/tracing/spans.ts";

/** Limits of a group. */
export interface GroupLimits {
  /** Most items a statement takes. */
  readonly itemsMax: number;
  /** How long the first item waits for company. */
  readonly lingerMs: number;
}

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly origin: TraceContext;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Collects items into groups and runs one group at a time. Items with equal keys never share a group, because one
 * statement cannot touch a row twice; the later one follows in the next.
 */
export class GroupCommit<Item, Result> {
  readonly #run: (items: readonly Item[]) => Promise<readonly Result[]>;
  readonly #keyOf: (item: Item) => string;
  readonly #limits: GroupLimits;
  #waiting: Waiting<Item, Result>[] = [];
  #running = false;

  /** `run` answers one result an item, in order. */
  constructor(
    run: (items: readonly Item[]) => Promise<readonly Result[]>,
    keyOf: (item: Item) => string,
    limits: GroupLimits,
  ) {
    this.#run = run;
    this.#keyOf = keyOf;
    this.#limits = limits;
  }

  /** Resolves when the group with this item has been committed. */
  add(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, origin: currentContext(), resolve, reject });
      if (!this.#running) {
        this.#running = true;
        setTimeout(() => void this.#drain(), this.#limits.lingerMs);
      }
    });
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) await this.#runGroup(this.#nextGroup());
    this.#running = false;
  }

  #nextGroup(): readonly Waiting<Item, Result>[] {
    const keys = new Set<string>();
    const group: Waiting<Item, Result>[] = [];
    const later: Waiting<Item, Result>[] = [];
    for (const waiting of this.#waiting) {
      const key = this.#keyOf(waiting.item);
      if (group.length >= this.#limits.itemsMax || keys.has(key)) later.push(waiting);
      else {
        keys.add(key);
        group.push(waiting);
      }
    }
    this.#waiting = later;
    return group;
  }

  async #runGroup(group: readonly Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await doneFor(
        group.map(({ origin }) => origin),
        () => this.#run(group.map(({ item }) => item)),
      );
      for (const [at, { resolve, reject }] of group.entries()) {
        const result = results[at];
        if (result === undefined) {
          reject(new Error(`Group of ${group.length} came back without result ${at}`));
        } else resolve(result);
      }
    } catch (error) {
      for (const { reject } of group) reject(error);
    }
  }
}
