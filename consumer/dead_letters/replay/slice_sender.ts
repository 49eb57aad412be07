// SliceSender: sends dead letters slice by slice at a rate, each batch in one transaction with its marks.

import { type PlacedRecord, RecordTooLarge } from "../../records/log_access.ts";
import { partitionId, recordPosition } from "../../records/position.ts";
import { recordBytes } from "../../records/record.ts";
import type { DeadLetter } from "../letter.ts";
import { replayMarksFor } from "../marks/marks.ts";
import type { DeadLetterPorts, LetterSender } from "../ports.ts";
import type { Sent } from "./canary.ts";
import { RetryRecords } from "./retry_records.ts";

const RECORDS_MAX = 500;
const BYTES_MAX = 4 * 1024 * 1024;
/** Of the records that go to one partition at once; brokers take a batch of 1 MiB where nobody says otherwise. */
const BATCH_BYTES_MAX = 768 * 1024;
/** What a record costs in a batch besides key, value and headers. */
const RECORD_OVERHEAD_BYTES = 64;

/** Sends as long as `signal` does not fire; whole slices only. */
export class SliceSender {
  readonly #ports: DeadLetterPorts;
  readonly #sender: LetterSender;
  readonly #rate: number | undefined;
  readonly #signal: AbortSignal;
  readonly #retries: RetryRecords;
  #batchBytesMax = BATCH_BYTES_MAX;

  /** @param rate records a second; undefined: as fast as can be. */
  constructor(ports: DeadLetterPorts, sender: LetterSender, rate: number | undefined, signal: AbortSignal) {
    this.#ports = ports;
    this.#sender = sender;
    this.#rate = rate;
    this.#signal = signal;
    this.#retries = new RetryRecords(ports);
  }

  /**
   * Yields each batch that was sent, with where its replays lie.
   *
   * @throws {RecordTooLarge} for a letter that the retry topic does not take.
   */
  async *send(letters: readonly DeadLetter[]): AsyncGenerator<readonly Sent[]> {
    for (let from = 0; from < letters.length && !this.#signal.aborted;) {
      const startedMs = this.#ports.nowMs();
      const slice = nextSlice(letters, from, this.#rate);
      yield* this.#sendSlice(slice);
      from += slice.length;
      await this.#rest(slice.length, startedMs);
    }
  }

  /** In one batch unless that is more than a partition takes. A topic with a smaller limit refuses; then the batches shrink. */
  async *#sendSlice(letters: readonly DeadLetter[]): AsyncGenerator<readonly Sent[]> {
    const placed = await this.#retries.place(letters, this.#signal);
    for (let from = 0; from < placed.length && !this.#signal.aborted;) {
      const to = from + batchLength(placed.slice(from), this.#batchBytesMax);
      try {
        yield await this.#sendBatch(letters.slice(from, to), placed.slice(from, to));
        from = to;
      } catch (error) {
        if (!(error instanceof RecordTooLarge)) throw error;
        if (to === from + 1) {
          throw new RecordTooLarge(tooLarge(letters[from], placed[from]), { cause: error });
        }
        this.#batchBytesMax = Math.floor(this.#batchBytesMax / 2);
      }
    }
  }

  async #sendBatch(
    letters: readonly DeadLetter[],
    placed: readonly PlacedRecord[],
  ): Promise<readonly Sent[]> {
    const at = (offsets: readonly number[]) =>
      placed.map(({ topic, partition }, each) => ({ topic, partition, offset: offsets[each] ?? -1 }));
    // The marks say where the replays lie, so that parked keys can see when they have settled.
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

/** How many of the first records can go at once: at least one, and of each partition no more than so many bytes. */
export function batchLength(records: readonly PlacedRecord[], bytesMax: number): number {
  const bytes = new Map<string, number>();
  for (const [at, record] of records.entries()) {
    const id = partitionId(record);
    const sum = (bytes.get(id) ?? 0) + recordBytes(record) + RECORD_OVERHEAD_BYTES;
    if (at > 0 && sum > bytesMax) return at;
    bytes.set(id, sum);
  }
  return records.length;
}

function tooLarge(letter: DeadLetter | undefined, placed: PlacedRecord | undefined): string {
  const name = letter === undefined ? "a dead letter" : recordPosition(letter);
  return `Cannot replay ${name}: it is larger than ${placed?.topic} takes. Raise that topic's max.message.bytes`;
}
