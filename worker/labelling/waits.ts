// Waits: how long one classification waited for the model and for the database.

import type { LabelStore } from "../core/label_store.ts";
import type { ClassificationDeps } from "./classify.ts";

/** Sums in ms. */
export class Waits {
  llmMs = 0;
  databaseMs = 0;
  readonly #nowMs: () => number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** The same parts, for one classification whose waits are added up here. */
  measuring({ labeller, store, ...others }: ClassificationDeps): ClassificationDeps {
    const add = (ms: number) => this.databaseMs += ms;
    const timed: LabelStore = {
      begin: (request) => this.#time(() => store.begin(request), add),
      finish: (request) => this.#time(() => store.finish(request), add),
      release: (request) => this.#time(() => store.release(request), add),
      check: () => store.check(),
    };
    return {
      ...others,
      labeller: {
        labelVersion: labeller.labelVersion,
        label: (...asked) => this.#time(() => labeller.label(...asked), (ms) => this.llmMs += ms),
      },
      store: timed,
    };
  }

  async #time<T>(work: () => Promise<T>, add: (ms: number) => void): Promise<T> {
    const startMs = this.#nowMs();
    try {
      return await work();
    } finally {
      add(this.#nowMs() - startMs);
    }
  }
}
