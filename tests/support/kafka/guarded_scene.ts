// One test's surroundings on a guarded Kafka: a topic and a group of its own, their rights, and consumers of them.

import assert from "node:assert/strict";
import { startTask } from "../../chaos/stage/tasks.ts";
import { type ConsumerProcess, startConsumer, values } from "../processes/consumer_process.ts";
import { until } from "../until.ts";
import type { StubWorker } from "../workers/stub_worker.ts";
import type { GuardedKafka, Right } from "./guarded_kafka.ts";

/** Longest wait, in ms: other tests may run on the same machine. */
export const LIMIT_MS = 60_000;

/** The rights of a consumer, one for each thing it does. */
export interface ConsumerRights {
  readonly readTopic: Right;
  readonly readRetries: Right;
  readonly writeDeadLetters: Right;
  readonly joinGroup: Right;
}

/** A topic, its side topics and a group. */
export class GuardedScene {
  readonly topic = `t-${crypto.randomUUID().slice(0, 8)}`;
  readonly group = `g-${crypto.randomUUID().slice(0, 8)}`;
  readonly deadLetterTopic = `${this.topic}.${this.group}.dlq`;
  readonly retryTopic = `${this.topic}.${this.group}.retry`;

  private constructor(readonly guarded: GuardedKafka) {}

  /** Without any right and without side topics. */
  static async bare(guarded: GuardedKafka): Promise<GuardedScene> {
    const scene = new GuardedScene(guarded);
    await guarded.kafka.make(scene.topic);
    return scene;
  }

  /** Without any right. */
  static async in(guarded: GuardedKafka): Promise<GuardedScene> {
    const scene = await GuardedScene.bare(guarded);
    await guarded.kafka.make(scene.deadLetterTopic, scene.retryTopic);
    return scene;
  }

  /** With every right of a consumer for these users. */
  static async allowing(guarded: GuardedKafka, ...users: readonly string[]): Promise<GuardedScene> {
    const scene = await GuardedScene.in(guarded);
    await guarded.allow(...users.flatMap((user) => Object.values<Right>({ ...scene.rights(user) })));
    return scene;
  }

  rights(user: string): ConsumerRights {
    return {
      readTopic: { user, operation: "READ", topic: this.topic },
      readRetries: { user, operation: "READ", topic: this.retryTopic },
      writeDeadLetters: { user, operation: "WRITE", topic: this.deadLetterTopic },
      joinGroup: { user, operation: "READ", group: this.group },
    };
  }

  /** The environment of a program that comes by this listener; its worker cannot be reached. */
  env(...by: Parameters<GuardedKafka["env"]>): Readonly<Record<string, string>> {
    const ours = { KAFKA_TOPIC: this.topic, KAFKA_GROUP_ID: this.group, LOG_FORMAT: "json" };
    return { ...ours, WORKER_URL: "http://127.0.0.1:1", ...this.guarded.env(...by) };
  }

  /** Starts a consumer that comes by this listener. */
  consumer(worker: StubWorker, ...by: Parameters<GuardedKafka["env"]>): ConsumerProcess {
    return startConsumer({ ...this.env(...by), WORKER_URL: worker.url });
  }

  /** Produces some records and waits until each has been delivered, none twice. */
  async deliver(worker: StubWorker, count: number): Promise<void> {
    const expected = worker.deliveries.size + count;
    const records = values(count, crypto.randomUUID()).map((value) => ({ key: value, value }));
    await this.guarded.kafka.produce(this.topic, records);
    await until(`${count} more`, () => worker.deliveries.size === expected, { timeoutMs: LIMIT_MS });
  }

  async untilCommitted(): Promise<void> {
    await this.guarded.kafka.untilCommitted(this.topic, this.group, LIMIT_MS);
  }
}

/** The one line on standard error of a program that Kafka refuses; the program fails. */
export async function refusalOf(
  task: string,
  env: Readonly<Record<string, string>>,
  args: readonly string[] = [],
): Promise<string> {
  await using child = startTask(task, task, { ADMIN_PORT: "0", ...env }, args);
  const { code } = await child.exit;
  const lines = child.lines.map(({ text }) => text).filter((text) => !text.startsWith("{"));
  assert.deepEqual([code, lines.length], [1, 1], `${task}: exit ${code}, ${lines.join("\n")}`);
  return lines[0] ?? "";
}

/** Waits until health, metrics and the log all say which right is missing. */
export async function untilForbidden(consumer: ConsumerProcess, words: string): Promise<void> {
  await until(`a missing right to ${words}`, async () => {
    const { status, causes, details } = await consumer.ready();
    return status === 503 && causes.includes("kafka-forbidden") && details.includes(words);
  }, { timeoutMs: LIMIT_MS });
  const metrics = await (await fetch(`${consumer.adminUrl}/metrics`)).text();
  assert.match(metrics, /ackpool_paused\{cause="kafka-forbidden"\} 1/);
  const logged = consumer.logged("cause").filter(({ fields }) => fields["cause"] === "kafka-forbidden");
  assert.ok(logged.some(({ text }) => text.includes(words)));
}
