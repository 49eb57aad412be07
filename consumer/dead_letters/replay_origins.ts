// Replay origins: records from the retry topic get the place where they were first read; no other topic's headers count.

import type { Event } from "../core/events.ts";
import type { KafkaRecord } from "../records/record.ts";
import { isRetryTopic, retryTopicOf, type SideTopicNames } from "../records/topic_names.ts";
import { letterOriginOf } from "./letter.ts";
import type { Signatures } from "./signatures.ts";

/** The event, its records with their origins where they are replays of this group. */
export function withOrigins(
  event: Event<KafkaRecord>,
  names: SideTopicNames,
  signatures: Signatures,
): Event<KafkaRecord> {
  if (event.type !== "received" || !isRetryTopic(event.from.topic, names)) return event;
  const { groupId, retryTopic } = names;
  const records = event.records.map((received) => {
    const record = signatures.check(received.record);
    const origin = letterOriginOf(record);
    const isOurs = origin !== undefined &&
      retryTopicOf(origin.topic, groupId, retryTopic) === event.from.topic;
    return isOurs ? { ...received, origin } : received;
  });
  return { ...event, records };
}
