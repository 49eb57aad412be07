// The samples that `start` sends: rows into the embedded Postgres, records into the embedded Kafka.

import { createKafka } from "../../consumer/kafka/client/client.ts";
import { TopicProducer } from "../../consumer/kafka/producers/topic_producer.ts";
import type { Environment } from "../../shared/config/read.ts";
import { sampleTickets } from "./samples.ts";
import { sendTickets } from "./ticket_sender.ts";
import { TicketRows } from "./ticket_rows.ts";

/** Where samples go. */
export interface FeedTarget {
  readonly brokers: string;
  readonly topic: string;
  readonly databaseUrl: string;
  readonly env: Environment;
}

/** Sends the samples under ids that the table does not have yet. Resolves with how many were sent. */
export async function feedSamples({ brokers, topic, databaseUrl, env }: FeedTarget): Promise<number> {
  const kafka = createKafka({
    brokers: [brokers],
    clientId: "ackpool-start",
    tls: undefined,
    sasl: undefined,
  });
  const producer = new TopicProducer(kafka, topic);
  const rows = TicketRows.at(databaseUrl, env);
  try {
    await rows.forgetPositions();
    await producer.connect();
    const { sent } = await sendTickets(await sampleTickets(await rows.nextId()), {
      room: () => Promise.resolve(),
      send: (records) => producer.send(records),
      insert: (some) => rows.insert(some),
      onProgress: () => {},
      onBad: (line, problem) => {
        throw new Error(`Sample ${line} cannot be used: ${problem}`);
      },
      signal: new AbortController().signal,
    });
    return sent;
  } finally {
    await Promise.all([producer.close(), rows.close()]);
  }
}
