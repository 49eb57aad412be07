// `deno task consumer`: reads the environment, puts the parts together, and ends them in order.

import { logConfig } from "../shared/config.ts";
import type { Cause } from "../shared/health.ts";
import { configureLogs, logger } from "../shared/log.ts";
import { Pool } from "../shared/pool/pool.ts";
import { EXIT, onStopSignal, runMain, serve } from "../shared/process.ts";
import { createAdmin } from "./admin/app.ts";
import { type ConsumerConfig, parseConfig, type TlsFiles } from "./config.ts";
import { createKafka, type KafkaClientConfig } from "./kafka/client.ts";
import { DeadLetterTopic } from "./kafka/dead_letter_topic.ts";
import { deadLetterTopicOf } from "./kafka/side_topics.ts";
import { KafkaSource } from "./kafka/source.ts";
import { connectAdmin, findTopics } from "./kafka/topics.ts";
import { ConsumerMetrics } from "./metrics.ts";
import { monotonicMs, Runtime } from "./runtime.ts";

const log = logger("consumer");

async function main(): Promise<number> {
  const env = (name: string) => Deno.env.get(name);
  configureLogs(logConfig(env, Deno.stdout.isTerminal()));
  const config = parseConfig(env);
  const stopping = new AbortController();
  onStopSignal((signal) => {
    log.info("stopping", { signal });
    stopping.abort();
  });
  return await new Consumer(config, stopping.signal).run();
}

/** The parts of one consumer process. */
class Consumer {
  readonly #config: ConsumerConfig;
  readonly #stopping: AbortSignal;
  /** What the group looks like from here; undefined while we are a member. */
  #away: Cause | undefined = {
    name: "joining",
    sinceMs: monotonicMs(),
    detail: "Not a member of the consumer group yet",
    remedy: "Wait. If it lasts, look whether the brokers can be reached and the topic exists.",
  };

  constructor(config: ConsumerConfig, stopping: AbortSignal) {
    this.#config = config;
    this.#stopping = stopping;
  }

  async run(): Promise<number> {
    const { kafka: client, tlsFiles, pool: poolConfig, timeoutMs, adminPort, machine } = this.#config;
    const kafka = createKafka({ ...client, tls: await readTls(tlsFiles) });
    const pool = new Pool({ ...poolConfig, connectTimeoutMs: Math.min(5000, timeoutMs) });
    const metrics = new ConsumerMetrics();
    const { source: { groupId }, deadLetterTopic } = this.#config;
    const deadLetters = new DeadLetterTopic(
      kafka,
      (topic) => deadLetterTopicOf(topic, groupId, deadLetterTopic),
    );
    // The source needs the runtime's ear and the runtime the source's hands: the ports are filled in below.
    const source: { current: KafkaSource | undefined } = { current: undefined };
    const runtime = new Runtime(machine, timeoutMs, {
      pool,
      deadLetters,
      metrics,
      source: {
        pause: (at) => source.current?.pause(at),
        resume: (at) => source.current?.resume(at),
        commit: (marks) => source.current?.commit(marks) ?? Promise.reject(new Error("Not joined yet")),
      },
    });
    const causes = () => [...(this.#away === undefined ? [] : [this.#away]), ...runtime.causes()];
    metrics.observe({ view: () => runtime.view, pool, causes });
    const admin = serve(adminPort, "ADMIN_PORT", createAdmin({ causes, registry: metrics.registry }).fetch);
    log.info("listening", { port: admin.addr.port, pool: poolConfig.urls.map((url) => url.href) });
    await pool.start();
    runtime.start();
    const operations = kafka.admin();
    if (!await connectAdmin(operations, this.#stopping)) return EXIT.ok;
    const topics = await findTopics(operations, this.#config, this.#stopping);
    if (topics === undefined) return EXIT.ok;
    source.current = new KafkaSource(kafka, operations, { ...this.#config.source, topics }, {
      onEvent: (event) => runtime.feed(event),
      onJoined: () => this.#away = undefined,
      onLost: (why) => this.#lost(why),
    });
    this.#stopping.addEventListener("abort", () => runtime.stop(), { once: true });
    await source.current.start();
    if (this.#stopping.aborted) runtime.stop();
    const end = await runtime.ended;
    await source.current.stop();
    await Promise.all([deadLetters.close(), operations.disconnect(), pool.close(), admin.shutdown()]);
    log.info("stopped", { clean: end.clean, idle: end.idle });
    return EXIT.ok;
  }

  #lost(why: string): void {
    log.warn("lost the group, joining again", { why });
    this.#away = {
      name: "kafka-unavailable",
      sinceMs: monotonicMs(),
      detail: `Not a member of the consumer group: ${why}`,
      remedy: "Look whether the brokers can be reached. It joins again by itself.",
    };
  }
}

async function readTls(files: TlsFiles | undefined): Promise<KafkaClientConfig["tls"]> {
  if (files === undefined) return undefined;
  const read = async (path: string | undefined) =>
    path === undefined ? undefined : await Deno.readTextFile(path);
  const [ca, cert, key] = await Promise.all([read(files.ca), read(files.cert), read(files.key)]);
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(files.passphrase === undefined ? {} : { passphrase: files.passphrase }),
  };
}

if (import.meta.main) await runMain(main);
