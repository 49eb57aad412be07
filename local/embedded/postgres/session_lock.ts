// The session lock: one connection at a time may use PGlite's single session, in the order they asked.

/** Releases the lock. */
export type Release = () => void;

/** A first-come-first-served lock. */
export class SessionLock {
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;

  /** Whether anybody waits for who has it. */
  get isAwaited(): boolean {
    return this.#waiting > 0;
  }

  /** Resolves when the caller has the lock, which it keeps until the release is called. */
  async take(): Promise<Release> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const before = this.#last;
    this.#last = before.then(() => promise);
    this.#waiting++;
    await before;
    this.#waiting--;
    return resolve;
  }
}
