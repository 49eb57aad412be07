// The embedded Kafka for a test file, as `deno task start` runs it: a process of its own, in memory, on a free port.

import { type EmbeddedKafka, startEmbeddedKafka } from "../../../local/embedded/kafka/launch.ts";

/** A broker that is gone after the test. */
export interface TestKafka extends AsyncDisposable {
  /** `host:port`. */
  readonly brokers: string;
}

const STOP_LIMIT_MS = 5_000;

/** Starts the embedded Kafka with these topics; any other appears when a client that may make topics asks for it. */
export async function embeddedKafka(topics: readonly string[]): Promise<TestKafka> {
  const { brokers, child }: EmbeddedKafka = await startEmbeddedKafka(topics);
  return { brokers, [Symbol.asyncDispose]: () => child.stop(STOP_LIMIT_MS) };
}
