// The consumer as a process of its own, started by its task in deno.json with that task's permissions.

import { startTask } from "../../chaos/stage/tasks.ts";
import { freePort } from "../ports.ts";
import type { Child, LogLine } from "./process.ts";
import type { StubWorker } from "../workers/stub_worker.ts";
import { TestKafka } from "../kafka/test_kafka.ts";
import { until } from "../until.ts";

/** What `/readyz` says. */
export interface Ready {
  readonly status: number;
  /** Names of the causes. */
  readonly causes: readonly string[];
  readonly details: string;
}

/** A running consumer. `await using` ends it. */
export class ConsumerProcess implements AsyncDisposable {
  constructor(readonly child: Child, readonly adminUrl: string) {}

  /** Its log lines with this message. */
  logged(message: string): readonly LogLine[] {
    return this.child.lines.filter(({ fields }) => fields["message"] === message);
  }

  async ready(): Promise<Ready> {
    const response = await fetch(`${this.adminUrl}/readyz`);
    const { causes } = await response.json() as { causes: { name: string; detail: string }[] };
    return {
      status: response.status,
      causes: causes.map(({ name }) => name),
      details: causes.map(({ detail }) => detail).join("\n"),
    };
  }

  /** Waits until `/readyz` names this cause. */
  async untilCause(name: string, timeoutMs = 30_000): Promise<Ready> {
    return await this.#asking(`the cause ${name}`, (ready) => ready.causes.includes(name), timeoutMs);
  }

  /** Waits until `/readyz` is 200: it has joined and nothing holds delivery up. */
  async untilReady(timeoutMs = 30_000): Promise<Ready> {
    return await this.#asking("a consumer that is ready", ({ status }) => status === 200, timeoutMs);
  }

  /** The value of a metric without labels, or the first with the labels given as they are printed. */
  async metric(name: string): Promise<number> {
    const text = await (await fetch(`${this.adminUrl}/metrics`)).text();
    const line = text.split("\n").find((each) => each.startsWith(`${name} `));
    return Number(line?.slice(name.length + 1) ?? NaN);
  }

  /** SIGTERM, and the exit code. */
  async stop(timeoutMs = 40_000): Promise<number> {
    return (await this.child.end("SIGTERM", timeoutMs)).code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.child[Symbol.asyncDispose]();
  }

  async #asking(what: string, fits: (ready: Ready) => boolean, timeoutMs: number): Promise<Ready> {
    let last: Ready | undefined;
    try {
      return await until(what, async () => {
        last = await this.ready();
        return fits(last) ? last : undefined;
      }, { timeoutMs });
    } catch (error) {
      throw new Error(`${(error as Error).message}; /readyz said ${JSON.stringify(last)}`, {
        cause: this.child.failure("was waited for"),
      });
    }
  }
}

/** Starts a consumer; quick commits and retries, so that tests need not wait for them. */
export function startConsumer(env: Readonly<Record<string, string>>): ConsumerProcess {
  const adminPort = env["ADMIN_PORT"] ?? String(freePort());
  const child = startTask("consumer", "consumer", {
    COMMIT_INTERVAL_MS: "100",
    // The embedded broker does not understand kafkajs's goodbye: the next consumer waits for the last one's session.
    KAFKA_SESSION_TIMEOUT_MS: "3000",
    RETRY_BACKOFF_MS: "50",
    RETRY_BACKOFF_MAX_MS: "500",
    LOG_FORMAT: "json",
    ...env,
    ADMIN_PORT: adminPort,
  });
  return new ConsumerProcess(child, `http://127.0.0.1:${adminPort}`);
}

/** One test's surroundings: topics of its own, and consumers of one group on them. */
export class Scene {
  readonly topic = `t-${crypto.randomUUID().slice(0, 8)}`;
  readonly groupId = `g-${crypto.randomUUID().slice(0, 8)}`;

  private constructor(readonly kafka: TestKafka) {}

  static async in(kafka: TestKafka): Promise<Scene> {
    const scene = new Scene(kafka);
    await kafka.make(scene.topic, scene.deadLetterTopic, scene.retryTopic);
    return scene;
  }

  get deadLetterTopic(): string {
    return `${this.topic}.${this.groupId}.dlq`;
  }

  get retryTopic(): string {
    return `${this.topic}.${this.groupId}.retry`;
  }

  /** Starts a consumer of this topic and group. */
  consumer(workers: readonly StubWorker[], env: Readonly<Record<string, string>> = {}): ConsumerProcess {
    return startConsumer({
      KAFKA_BROKERS: this.kafka.brokers,
      KAFKA_TOPIC: this.topic,
      KAFKA_GROUP_ID: this.groupId,
      WORKER_URL: workers.map(({ url }) => url).join(","),
      ...env,
    });
  }

  async produce(values: readonly string[], partition?: number): Promise<void> {
    const at = partition === undefined ? {} : { partition };
    await this.kafka.produce(this.topic, values.map((value) => ({ key: value, value, ...at })));
  }

  async untilCommitted(timeoutMs?: number): Promise<void> {
    await this.kafka.untilCommitted(this.topic, this.groupId, timeoutMs);
  }
}

/** `count` values, all different. */
export function values(count: number, prefix = "v"): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index}`);
}
