// LetterWriter: writes a dead letter whatever its size: as it is, or else without what the topic does not take.

import type { Cause } from "../../shared/http/health.ts";
import { logger } from "../../shared/log.ts";
import type { Delivery } from "../core/delivery.ts";
import { type PlacedRecord, RecordRefused, RecordTooLarge } from "../records/log_access.ts";
import { type KafkaRecord, recordBytes } from "../records/record.ts";
import type { SideTopicNames } from "../records/topic_names.ts";
import type { UnreadRange } from "../records/unread_range.ts";
import { smallerLetters, toLetterRecord, TOO_LARGE, toUnreadLetter, UNREADABLE_BATCH } from "./letter.ts";

const log = logger("consumer");

const REMEDY = "Look who writes such batches; the records lie where it says until their topic forgets them.";

/** Where a dead letter was written. */
interface Written {
  /** In its partition; undefined where the broker does not tell. */
  readonly offset: number | undefined;
}

/** What writing needs of Kafka. */
export interface LetterProducer {
  /**
   * @throws {RecordTooLarge} when the topic does not take it, compressed or not.
   * @throws {RecordRefused} when the topic does not take it for another reason, however often it is sent.
   */
  write(record: PlacedRecord): Promise<Written>;
}

/** Writes the dead letters of one group. */
export class LetterWriter {
  readonly #producer: LetterProducer;
  readonly #names: SideTopicNames;
  readonly #nowMs: () => number;
  #refused: Cause | undefined;
  #incomplete = 0;
  #unread = 0;

  /** @param nowMs the time in ms since the epoch, for causes. */
  constructor(producer: LetterProducer, names: SideTopicNames, nowMs: () => number) {
    this.#producer = producer;
    this.#names = names;
    this.#nowMs = nowMs;
  }

  /** What the topic refuses for good; none while dead letters can be written. */
  causes(): readonly Cause[] {
    return this.#refused === undefined ? [] : [this.#refused];
  }

  /** What was written otherwise than it was read. */
  notes(): readonly string[] {
    const [incomplete, unread] = [this.#incomplete, this.#unread];
    return [
      ...incomplete === 0 ? [] : [
        `${TOO_LARGE}: ${incomplete} dead letters have no value; dlq list shows where the whole records lie`,
      ],
      ...unread === 0 ? [] : [
        `${UNREADABLE_BATCH}: ${unread} records were dead-lettered unread; dlq list shows where they lie`,
      ],
    ];
  }

  /** Resolves when the broker has it, with where that is. */
  async write(delivery: Delivery<KafkaRecord>, nowMs: number): Promise<Written> {
    const whole = toLetterRecord(delivery, this.#names, nowMs);
    let tooLarge: unknown;
    for (const letter of [whole, ...smallerLetters(whole)]) {
      try {
        const written = await this.#producer.write(letter);
        this.#refused = undefined;
        if (letter !== whole) this.#recordIncomplete(delivery, letter, whole);
        return written;
      } catch (error) {
        if (error instanceof RecordRefused) this.#refuse(error);
        if (!(error instanceof RecordTooLarge)) throw error;
        tooLarge = error;
      }
    }
    throw tooLarge;
  }

  /** Resolves when the broker has a letter for records that nobody can read. */
  async writeUnread(range: UnreadRange, nowMs: number): Promise<void> {
    await this.#producer.write(toUnreadLetter(range, this.#names, nowMs));
    this.#unread += range.records;
    const { topic, partition, from, to, records, why } = range;
    const place = { topic, partition, from, to, records, why };
    log.warn("record batch dead-lettered unread", { cause: UNREADABLE_BATCH, ...place, remedy: REMEDY });
  }

  #refuse({ message }: RecordRefused): void {
    this.#refused = {
      name: "dead-letter-topic-unavailable",
      sinceMs: this.#refused?.sinceMs ?? this.#nowMs(),
      detail: `A dead letter is refused: ${message}`,
      remedy:
        "Set cleanup.policy=delete on the topic. Only the records that need it wait; it goes on by itself.",
    };
  }

  #recordIncomplete({ record }: Delivery<KafkaRecord>, letter: PlacedRecord, whole: PlacedRecord): void {
    this.#incomplete += 1;
    const { topic, partition, offset } = record;
    const sizes = { bytes: recordBytes(whole), written: recordBytes(letter) };
    log.warn("dead letter without its value", { cause: TOO_LARGE, topic, partition, offset, ...sizes });
  }
}
