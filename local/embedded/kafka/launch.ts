// The start of the embedded Kafka, and its address.

import { createKafka } from "../../../consumer/kafka/client/client.ts";
import { createTopicsByAsking } from "./create_topics.ts";
import { Child, type OnLine } from "../../processes/child.ts";
import type { ChildLine } from "../../processes/child_output.ts";
import { watchedArgs } from "../../processes/deno_task.ts";

/** What the mock cluster keeps of one partition; the oldest batches go first. Measured: 5 MiB. */
export const EMBEDDED_PARTITION_BYTES = 5 * 1024 * 1024;
/** How many partitions a topic gets there. */
export const EMBEDDED_PARTITIONS = 4;

/** An embedded Kafka that runs. */
export interface EmbeddedKafka {
  /** `host:port`. */
  readonly brokers: string;
  readonly child: Child;
}

// Narrow but for the native library, which cannot be confined.
const FLAGS = ["--allow-ffi", "--allow-read", "--allow-env", "--allow-sys"];

/** Called with the process from its first moment. */
export interface EmbeddedKafkaListener {
  readonly onSpawn?: (child: Child) => void;
  readonly onLine?: OnLine;
}

/**
 * Starts the broker and makes the topics.
 *
 * @throws {ChildFailedError} when it does not start.
 */
export async function startEmbeddedKafka(
  topics: readonly string[],
  { onSpawn, onLine }: EmbeddedKafkaListener = {},
): Promise<EmbeddedKafka> {
  const child = new Child(
    { name: "kafka", args: watchedArgs("local/embedded/kafka/main.ts", FLAGS), env: {} },
    (line) => isOwnClient(line) || onLine?.(line),
  );
  onSpawn?.(child);
  const brokers = await child.waitFor(addressIn);
  const kafka = createKafka({
    brokers: [brokers],
    clientId: "ackpool-start",
    tls: undefined,
    sasl: undefined,
  });
  await createTopicsByAsking(kafka, topics);
  return { brokers, child };
}

/** About the client that keeps the cluster: nobody uses it, and without a network it cannot find its own broker. */
export function isOwnClient(line: ChildLine): boolean {
  return line.kind === "event" && line.level === "error" && line.message.includes("Failed to resolve");
}

/** The broker's address in librdkafka's line about its mock cluster. */
export function addressIn(line: ChildLine): string | undefined {
  if (line.kind !== "event") return undefined;
  return /^librdkafka: MOCK .* replaced with (\S+:\d+)/.exec(line.message)?.[1];
}
