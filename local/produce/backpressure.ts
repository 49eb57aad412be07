// Backpressure for the embedded Kafka: it drops its oldest records when full, read or not, so the sender waits.

import type { TopicProgress } from "./topic_progress.ts";
import { EMBEDDED_PARTITION_BYTES } from "../embedded/kafka/launch.ts";
import { unread, UnreadWindow } from "./unread_window.ts";

/**
 * Unread bytes allowed over all partitions, which may all be in one. Less than half of what a partition keeps, so that
 * two senders at once are safe.
 */
const UNREAD_BYTES_MAX = Math.floor(EMBEDDED_PARTITION_BYTES * 0.4);
/** Assumed size of a record that others sent: the real one is not known. */
const OTHERS_RECORD_BYTES = 8 * 1024;
const LOOK_EVERY_MS = 100;

/** Holds a sender back while the embedded Kafka is full: it would drop its oldest records, read or not. */
export class Backpressure {
  readonly #progress: TopicProgress;
  readonly #window = new UnreadWindow(UNREAD_BYTES_MAX);
  readonly #onWait: (unread: bigint) => void;
  readonly #signal: AbortSignal;

  /** @param onWait called with the number of unread records whenever there is no room. */
  constructor(progress: TopicProgress, onWait: (unread: bigint) => void, signal: AbortSignal) {
    this.#progress = progress;
    this.#onWait = onWait;
    this.#signal = signal;
  }

  /** Takes in what is unread already. */
  async begin(): Promise<void> {
    const [ends, committed] = await Promise.all([this.#progress.ends(), this.#progress.committed()]);
    const records = unread(ends, committed);
    if (records > 0n) this.#window.sent(Number(records) * OTHERS_RECORD_BYTES, ends);
  }

  /** Resolves when so many bytes may be sent, or when the signal has fired. */
  async wait(bytes: number): Promise<void> {
    if (this.#window.fits(bytes)) return;
    while (!this.#signal.aborted) {
      const committed = await this.#progress.committed();
      this.#window.committed(committed);
      if (this.#window.fits(bytes)) return;
      this.#onWait(unread(await this.#progress.ends(), committed));
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  }

  /** So many bytes were sent. */
  async sent(bytes: number): Promise<void> {
    this.#window.sent(bytes, await this.#progress.ends());
  }
}
