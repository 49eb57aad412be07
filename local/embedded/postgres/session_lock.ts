// The session lock: one connection at a time may use PGlite's single session, in the order they asked.

/** Releases the lock. */
export type Release = () => void;

/** A first-come-first-served lock. */
export class SessionLock {
  #last: Promise<void> = Promise.resolve();

  /** Resolves when the caller has the lock, which it keeps until the release is called. */
  async take(): Promise<Release> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const before = this.#last;
    this.#last = before.then(() => promise);
    await before;
    return resolve;
  }
}
