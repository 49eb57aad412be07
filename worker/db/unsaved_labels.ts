// Unsaved labels: paid for while the database was away, kept in memory and stored as soon as it is back.

import type { LabelKey } from "../core/label_key.ts";
import type { FinishRequest } from "../core/label_store.ts";

/** Beyond this many the oldest is given up; it would be paid for a second time. */
const LABELS_MAX = 10_000;
const RETRY_EVERY_MS = 500;

/** Bounded, and empty except during an outage. */
export class UnsavedLabels {
  readonly #store: (request: FinishRequest) => Promise<boolean>;
  readonly #labels = new Map<string, FinishRequest>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `store` says whether the label needs no keeping any more. */
  constructor(store: (request: FinishRequest) => Promise<boolean>) {
    this.#store = store;
  }

  /** How many wait. */
  get size(): number {
    return this.#labels.size;
  }

  /** Keeps a label until it is stored. */
  keep(request: FinishRequest): void {
    this.#labels.set(nameOf(request.key), request);
    const oldest = this.#labels.keys().next().value;
    if (this.#labels.size > LABELS_MAX && oldest !== undefined) this.#labels.delete(oldest);
    this.#timer ??= setTimeout(() => void this.#saveAll(), RETRY_EVERY_MS);
  }

  /** Tries to store the label with this key, if there is one. */
  async save(key: LabelKey): Promise<void> {
    if (this.#labels.size === 0) return;
    const request = this.#labels.get(nameOf(key));
    if (request === undefined) return;
    const saved = await this.#store(request);
    this.#labels.delete(nameOf(key));
    // At the end, so that a label that cannot be stored holds up no other.
    if (!saved) this.#labels.set(nameOf(key), request);
  }

  /** A last try. May be called twice. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await Promise.all([...this.#labels.values()].map(({ key }) => this.save(key)));
    clearTimeout(this.#timer);
  }

  async #saveAll(): Promise<void> {
    const [first, ...others] = [...this.#labels.values()];
    // One is enough to learn whether the database is back.
    if (first !== undefined) await this.save(first.key);
    const back = first !== undefined && !this.#labels.has(nameOf(first.key));
    if (back) await Promise.all(others.map(({ key }) => this.save(key)));
    this.#timer = this.#labels.size === 0
      ? undefined
      : setTimeout(() => void this.#saveAll(), RETRY_EVERY_MS);
  }
}

function nameOf({ ticketId, contentHash, labelVersion }: LabelKey): string {
  return JSON.stringify([ticketId, contentHash, labelVersion]);
}
