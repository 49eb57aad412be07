// Who may use the one Postgres session: one connection at a time, in the order they asked.

/** Gives its turn back. */
export type Release = () => void;

/** A first-come-first-served lock. */
export class Turns {
  #last: Promise<void> = Promise.resolve();

  /** Resolves when it is the caller's turn, which lasts until the release is called. */
  async take(): Promise<Release> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const before = this.#last;
    this.#last = before.then(() => promise);
    await before;
    return resolve;
  }
}
