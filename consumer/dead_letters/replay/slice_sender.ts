// Slice sender: sends dead letters slice by slice at a rate, each slice in one transaction with its marks.

import { recordPosition } from "../../records/position.ts";
import type { DeadLetter } from "../letter.ts";
import { replayMarksFor } from "../marks/marks.ts";
import type { DeadLetterPorts, LetterSender } from "../ports.ts";
import type { Sent } from "./canary.ts";
import { RetryRecords } from "./retry_records.ts";

const RECORDS_MAX = 500;
const BYTES_MAX = 4 * 1024 * 1024;

/** Sends as long as `signal` does not fire; whole slices only. */
export class SliceSender {
  readonly #ports: DeadLetterPorts;
  readonly #sender: LetterSender;
  readonly #rate: number | undefined;
  readonly #signal: AbortSignal;
  readonly #retries: RetryRecords;

  /** @param rate records a second; undefined: as fast as can be. */
  constructor(ports: DeadLetterPorts, sender: LetterSender, rate: number | undefined, signal: AbortSignal) {
    this.#ports = ports;
    this.#sender = sender;
    this.#rate = rate;
    this.#signal = signal;
    this.#retries = new RetryRecords(ports);
  }

  /** Yields each slice that was sent, with where its replays lie. */
  async *send(letters: readonly DeadLetter[]): AsyncGenerator<readonly Sent[]> {
    for (let from = 0; from < letters.length && !this.#signal.aborted;) {
      const startedMs = this.#ports.nowMs();
      const slice = nextSlice(letters, from, this.#rate);
      yield await this.#sendSlice(slice);
      from += slice.length;
      await this.#rest(slice.length, startedMs);
    }
  }

  async #sendSlice(letters: readonly DeadLetter[]): Promise<readonly Sent[]> {
    const placed = await this.#retries.place(letters, this.#signal);
    const at = (offsets: readonly number[]) =>
      placed.map(({ topic, partition }, each) => ({ topic, partition, offset: offsets[each] ?? -1 }));
    // The marks say where the replays are: whoever waits for them can see when they have settled.
    const offsets = await this.#sender.send(placed, (sent) => replayMarksFor(letters, at(sent)));
    return at(offsets).map((place, each) => ({ from: recordPosition(letters[each] ?? place), ...place }));
  }

  async #rest(count: number, startedMs: number): Promise<void> {
    if (this.#rate === undefined) return;
    const restMs = count * 1000 / this.#rate - (this.#ports.nowMs() - startedMs);
    if (restMs > 0) await this.#ports.pause(restMs, this.#signal);
  }
}

/**
 * The next of them, from index `from` on, bounded in number and bytes: at least one, and at a rate no more than half a
 * second's worth, so that a rate is a rate and not a burst a minute.
 */
export function nextSlice<T extends { readonly bytes: number }>(
  all: readonly T[],
  from: number,
  rate: number | undefined,
): readonly T[] {
  const most = rate === undefined ? RECORDS_MAX : Math.max(1, Math.min(RECORDS_MAX, Math.floor(rate / 2)));
  let bytes = 0;
  let to = from;
  while (to < all.length && to - from < most) {
    bytes += all[to]?.bytes ?? 0;
    if (to > from && bytes > BYTES_MAX) break;
    to += 1;
  }
  return all.slice(from, to);
}
