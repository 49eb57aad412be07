// `deno task consumer`: reads the environment, puts the parts together, and ends them in order.

import { logConfig } from "../shared/config.ts";
import { configureLogs, logger } from "../shared/log.ts";
import { Pool } from "../shared/pool/pool.ts";
import { EXIT, onStopSignal, runMain, serve } from "../shared/process.ts";
import { createAdmin } from "./admin/app.ts";
import type { DeadLetterOperations } from "./admin/dead_letters.ts";
import { type Scale, scaleOf } from "./admin/scale.ts";
import { Away } from "./away.ts";
import { type ConsumerConfig, parseConfig, type TlsFiles } from "./config.ts";
import { DeadLetterDesk } from "./dead_letter_desk.ts";
import { createKafka, type KafkaClientConfig } from "./kafka/client.ts";
import { DeadLetterTopic } from "./kafka/dead_letter_topic.ts";
import { within } from "./kafka/patience.ts";
import { KafkaSource } from "./kafka/source.ts";
import { findTopics } from "./kafka/topics.ts";
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
  return await run(config, stopping.signal);
}

/** How long each part may take to end, in ms. */
const CLOSE_LIMIT_MS = 2000;

/** Puts the parts of a consumer together, runs them until `stopping` fires or nothing is left to do, and ends them. */
async function run(config: ConsumerConfig, stopping: AbortSignal): Promise<number> {
  const client = { ...config.kafka, tls: await readTls(config.tlsFiles) };
  const kafka = createKafka(client);
  const impatient = createKafka(client, 1);
  const pool = new Pool({ ...config.pool, connectTimeoutMs: Math.min(5000, config.timeoutMs) });
  const metrics = new ConsumerMetrics();
  const { source: { groupId }, deadLetterTopic, retryTopic } = config;
  const deadLetters = new DeadLetterTopic(kafka, { groupId, deadLetterTopic, retryTopic });
  const desk = new DeadLetterDesk(kafka, config);
  const away = new Away(monotonicMs);
  // The source needs the runtime's ear and the runtime the source's hands; it comes when the topics are there.
  let source: KafkaSource | undefined;
  const runtime = new Runtime(config.machine, config.timeoutMs, {
    pool,
    deadLetters,
    metrics,
    source: {
      pause: (at) => source?.pause(at),
      resume: (at) => source?.resume(at),
      commit: (marks) => source?.commit(marks) ?? Promise.reject(new Error("Not joined yet")),
    },
  });
  const causes = () => [...away.causes(), ...runtime.causes()];
  const scale = () => readScale(config, runtime, pool);
  metrics.observe({ view: () => runtime.view, pool, causes, scale });
  const admin = serve(
    config.adminPort,
    "ADMIN_PORT",
    createAdmin({ causes, registry: metrics.registry, scale, deadLetters: operations(desk, config, runtime) })
      .fetch,
  );
  log.info("listening", { port: admin.addr.port, pool: config.pool.urls.map((url) => url.href) });
  stopping.addEventListener("abort", () => runtime.stop(), { once: true });
  await pool.start();
  runtime.start();
  const topics = await findTopics(impatient, config, {
    signal: stopping,
    waiting: (awaited) => away.waiting(awaited),
  });
  if (topics !== undefined) {
    source = new KafkaSource(kafka, impatient, { ...config.source, topics }, {
      onEvent: (event) => runtime.feed(event),
      onJoined: () => away.joined(),
      onLost: (why) => away.lost(why),
    });
    source.start();
  }
  const { clean, idle } = await runtime.ended;
  await source?.stop();
  await within(
    CLOSE_LIMIT_MS,
    Promise.all([deadLetters.close(), desk.close(), pool.close(), admin.shutdown()]),
  );
  log.info("stopped", { clean, idle });
  return EXIT.ok;
}

function readScale(
  { scale, pool: { concurrency } }: ConsumerConfig,
  { view, permitMs }: Runtime,
  pool: Pool,
): Scale {
  const replicas = pool.replicas.filter((replica) => replica.permits(Date.now()) > 0).length;
  return scaleOf(view, { bounds: scale, permitsPerReplica: concurrency, permitMs, replicas }, Date.now());
}

function operations(
  desk: DeadLetterDesk,
  { replaysMax }: ConsumerConfig,
  runtime: Runtime,
): DeadLetterOperations {
  return {
    scan: (...args) => desk.scan(...args),
    findOne: (...args) => desk.findOne(...args),
    replay: (...args) => desk.replay(...args),
    drop: (...args) => desk.drop(...args),
    allow: (count) => {
      log.warn("dead letters allowed", { count });
      runtime.feed({ type: "dead_letters_allowed", count });
    },
    replaysMax,
  };
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
