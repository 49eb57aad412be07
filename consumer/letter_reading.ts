// Parked letters on a real Kafka: a reader of the dead-letter topics, and the machine's ear.

import type { Kafka } from "kafkajs";
import type { ConsumerConfig } from "./config.ts";
import { GroupOffsets } from "./kafka/readers/group_offsets.ts";
import { pause } from "../shared/wait.ts";
import { RenewableReader } from "./kafka/readers/renewable_reader.ts";
import { ParkingReader } from "./dead_letters/parking_reader.ts";
import { monotonicMs, type Runtime } from "./runtime.ts";

/** What says where dead letters are. */
type LetterConfig = Pick<ConsumerConfig, "deadLetterTopic" | "retryTopic"> & {
  readonly source: Pick<ConsumerConfig["source"], "groupId">;
};

/** Reading that is not started yet; `close()` after use. */
export interface LetterReading extends Pick<ParkingReader, "causes" | "follow" | "start" | "close"> {}

/** Reads for `PARK_KEYS`. The reader is a member of a group of its own, whose name begins with ours. */
export function letterReading(
  kafka: Kafka,
  { source: { groupId }, deadLetterTopic, retryTopic }: LetterConfig,
  runtime: Pick<Runtime, "feed" | "view">,
): LetterReading {
  const offsets = new GroupOffsets(kafka);
  const reader = new RenewableReader(kafka, groupId);
  const letters = new ParkingReader({ groupId, deadLetterTopic, retryTopic }, {
    offsets,
    reader: (topics) => reader.of(topics),
    feed: (event) => runtime.feed(event),
    parked: () =>
      new Set(runtime.view.partitions.filter(({ parking }) => parking.size > 0).map(({ id }) => id)),
    nowMs: monotonicMs,
    pause,
  });
  return {
    causes: () => letters.causes(),
    follow: (event) => letters.follow(event),
    start: () => letters.start(),
    close: async () => {
      await letters.close();
      await Promise.all([reader.close(), offsets.close()]);
    },
  };
}
