// Passwords, certificates, tokens and rights on a real broker: refused at the start, taken away later, given back.

import assert from "node:assert/strict";
import { startTask } from "../chaos/stage/tasks.ts";
import { ConsumerProcess, startConsumer, values } from "../support/processes/consumer_process.ts";
import { GuardedKafka, type Right } from "../support/kafka/guarded_kafka.ts";
import { StubWorker } from "../support/workers/stub_worker.ts";
import { until } from "../support/until.ts";

/** A machine that does other things, too. */
const PATIENT = { timeoutMs: 60_000 };

interface Place {
  readonly topic: string;
  readonly group: string;
  readonly env: Readonly<Record<string, string>>;
  readonly rights: (user: string) => readonly Right[];
}

/** A topic and a group of one case's own. */
async function placeIn({ kafka }: GuardedKafka): Promise<Place> {
  const [topic, group] = [`t-${crypto.randomUUID().slice(0, 8)}`, `g-${crypto.randomUUID().slice(0, 8)}`];
  await kafka.make(topic, `${topic}.${group}.dlq`, `${topic}.${group}.retry`);
  return {
    topic,
    group,
    env: { KAFKA_TOPIC: topic, KAFKA_GROUP_ID: group, WORKER_URL: "http://127.0.0.1:1", LOG_FORMAT: "json" },
    rights: (user) => [
      { user, operation: "READ", topic },
      { user, operation: "READ", topic: `${topic}.${group}.retry` },
      { user, operation: "WRITE", topic: `${topic}.${group}.dlq` },
      { user, operation: "READ", group },
    ],
  };
}

/** What a program that Kafka refuses writes to standard error: one line, and it fails. */
async function refusalOf(
  task: string,
  env: Readonly<Record<string, string>>,
  more: readonly string[] = [],
): Promise<string> {
  await using child = startTask(task, task, { ADMIN_PORT: "0", ...env }, more);
  const { code } = await child.exit;
  const said = child.lines.map(({ text }) => text).filter((text) => !text.startsWith("{"));
  assert.deepEqual([code, said.length], [1, 1], `${task}: exit ${code}, ${said.join("\n")}`);
  return said[0] ?? "";
}

/** One delivery after another, and none twice or never. */
async function delivers(place: Place, kafka: GuardedKafka, worker: StubWorker, more: number): Promise<void> {
  const before = worker.deliveries.size;
  await kafka.kafka.produce(
    place.topic,
    values(more, crypto.randomUUID()).map((value) => ({ key: value, value })),
  );
  await until(`${more} more`, () => worker.deliveries.size === before + more, PATIENT);
}

Deno.test("a consumer of a guarded Kafka", async (t) => {
  await using kafka = await GuardedKafka.start();
  const ready = await placeIn(kafka);
  await kafka.allow(...ready.rights("alice"), ...ready.rights("ANONYMOUS"));
  const first = await kafka.authority.issue({ name: "first" });
  const second = await kafka.authority.issue({ name: "second" });
  const stranger = await kafka.stranger.issue({ name: "stranger" });
  const scram = { ...ready.env, ...kafka.env("SCRAM") };

  await t.step("is told in one line who or what is refused at the start, and ends", async () => {
    const tls = (listener: "MTLS" | "OTHER" | "EXPIRED") => ({ ...ready.env, ...kafka.env(listener) });
    const cases: readonly (readonly [string, Readonly<Record<string, string>>, RegExp])[] = [
      [
        "consumer",
        { ...scram, KAFKA_PASSWORD: "x" },
        /SCRAM.*invalid credentials.*Check the user and password/,
      ],
      ["consumer", { ...scram, KAFKA_SASL_MECHANISM: "PLAIN" }, /KAFKA_SASL_MECHANISM/],
      ["consumer", { ...scram, KAFKA_SSL_CA: kafka.stranger.ca }, /of no CA that we trust.*KAFKA_SSL_CA/],
      ["consumer", tls("OTHER"), /is for another host.*KAFKA_SSL_VERIFY_HOSTNAME=false/],
      ["consumer", tls("EXPIRED"), /has expired/],
      ["consumer", tls("MTLS"), /does not take our certificate.*KAFKA_SSL_CERT/],
      [
        "consumer",
        { ...tls("MTLS"), KAFKA_SSL_CERT: stranger.cert, KAFKA_SSL_KEY: stranger.key },
        /does not take our certificate/,
      ],
      [
        "consumer",
        { ...ready.env, ...kafka.env("OAUTH", { KAFKA_OAUTH_CLIENT_SECRET: "x" }) },
        /\/token gave us no token but 401: invalid_client.*KAFKA_OAUTH_CLIENT_ID/,
      ],
      ["drain", { ...scram, KAFKA_PASSWORD: "x" }, /invalid credentials/],
      ["lag", { ...scram, KAFKA_SSL_CA: kafka.stranger.ca }, /of no CA that we trust/],
    ];
    const said = cases.map(async ([task, env, line]) => assert.match(await refusalOf(task, env), line));
    await Promise.all(said);
    assert.match(await refusalOf("dlq", { ...scram, KAFKA_PASSWORD: "x" }, ["list"]), /invalid credentials/);
  });

  await t.step("is told in one line which rights are missing at the start, and ends", async () => {
    const place = await placeIn(kafka);
    const env = { ...place.env, ...kafka.env("SCRAM") };
    const [read, , , join] = place.rights("alice");
    assert.ok(read !== undefined && join !== undefined);
    assert.match(
      await refusalOf("consumer", env),
      new RegExp(`no right to read the topic ${place.topic}\\.`),
    );
    assert.match(await refusalOf("lag", env), new RegExp(`no right to see the topic ${place.topic}\\.`));
    await kafka.allow({ ...read, operation: "DESCRIBE" });
    assert.match(
      await refusalOf("drain", env),
      new RegExp(`read the topic ${place.topic}, nor to join the group ${place.group}\\..*kafka-acls`),
    );
    await kafka.allow(read);
    assert.match(
      await refusalOf("consumer", env),
      new RegExp(`no right to join the group ${place.group}\\.`),
    );
  });

  await t.step("checks the chain also where host names are not verified", async () => {
    const env = { ...ready.env, ...kafka.env("OTHER", { KAFKA_SSL_VERIFY_HOSTNAME: "false" }) };
    assert.match(await refusalOf("consumer", { ...env, KAFKA_SSL_CA: kafka.stranger.ca }), /of no CA/);
    await using worker = new StubWorker();
    await using consumer = startConsumer({ ...env, WORKER_URL: worker.url });
    await consumer.untilReady(PATIENT.timeoutMs);
    assert.equal(consumer.told("host names of brokers are not verified").length, 1);
    await consumer.stop();
  });

  // They wait more than they work, each in a topic of its own.
  const atOnce = { sanitizeOps: false, sanitizeResources: false, sanitizeExit: false };
  await Promise.all([
    t.step({
      ...atOnce,
      name: "pauses when a right is taken away, and goes on when it comes back",
      fn: async () => {
        const place = await placeIn(kafka);
        const rights = place.rights("alice");
        await kafka.allow(...rights);
        await using worker = new StubWorker();
        await using consumer = startConsumer({ ...place.env, ...kafka.env("SCRAM"), WORKER_URL: worker.url });
        await delivers(place, kafka, worker, 50);
        const [read, , , join] = rights;
        for (
          const [right, words] of [[read, `read the topic ${place.topic}`], [join, "join the group"]] as const
        ) {
          assert.ok(right !== undefined);
          await kafka.forbid(right);
          await forbidden(consumer, words);
          const delivery = delivers(place, kafka, worker, 50);
          await kafka.allow(right);
          await delivery;
          await consumer.untilReady(PATIENT.timeoutMs);
        }
        await kafka.kafka.untilCommitted(place.topic, place.group, PATIENT.timeoutMs);
        await consumer.stop();
      },
    }),
    t.step({
      ...atOnce,
      name: "is not idle while it may not join: a drain ends when everything is delivered",
      fn: async () => {
        const place = await placeIn(kafka);
        const rights = place.rights("alice");
        await kafka.allow(...rights);
        await using worker = new StubWorker();
        const idleMs = 5000;
        const env = { ...place.env, ...kafka.env("SCRAM"), IDLE_EXIT_MS: String(idleMs) };
        await using consumer = startConsumer({ ...env, WORKER_URL: worker.url });
        await delivers(place, kafka, worker, 20);
        await kafka.forbid(...rights.slice(3));
        await forbidden(consumer, "join the group");
        const sinceMs = Date.now();
        await until("longer than it may be idle", () => Date.now() - sinceMs > idleMs, PATIENT);
        const delivery = delivers(place, kafka, worker, 20);
        await kafka.allow(...rights.slice(3));
        await delivery;
        assert.equal((await consumer.child.exit).code, 0);
        assert.equal(await kafka.kafka.lag(place.topic, place.group), 0);
      },
    }),
    t.step({
      ...atOnce,
      name: "delivers on without replays when the right to read them is taken away",
      fn: async () => {
        const place = await placeIn(kafka);
        const rights = place.rights("alice");
        await kafka.allow(...rights);
        await using worker = new StubWorker();
        await using consumer = startConsumer({ ...place.env, ...kafka.env("SCRAM"), WORKER_URL: worker.url });
        await delivers(place, kafka, worker, 20);
        const replays = rights.slice(1, 2);
        await kafka.forbid(...replays);
        await until("the news", () => consumer.told("no replays are read").length > 0, PATIENT);
        await delivers(place, kafka, worker, 20);
        await kafka.allow(...replays);
        await kafka.kafka.produce(`${place.topic}.${place.group}.retry`, [{ key: "k", value: "again" }]);
        await until("the replay", () => worker.deliveries.size === 41, PATIENT);
        await kafka.kafka.untilCommitted(place.topic, place.group, PATIENT.timeoutMs);
        await consumer.stop();
      },
    }),
    t.step({
      ...atOnce,
      name: "delivers without the right to write dead letters; those that need it wait",
      fn: async () => {
        const place = await placeIn(kafka);
        const [read, , write, join] = place.rights("alice");
        assert.ok(read !== undefined && write !== undefined && join !== undefined);
        await kafka.allow(read, join);
        await using worker = new StubWorker(({ text }) => text === "bad" ? 400 : 200);
        await using consumer = startConsumer({ ...place.env, ...kafka.env("SCRAM"), WORKER_URL: worker.url });
        const { details } = await consumer.untilCause("dead-letter-topic-unavailable", PATIENT.timeoutMs);
        assert.match(details, new RegExp(`${place.topic}.${place.group}.dlq`));
        await kafka.kafka.produce(place.topic, [{ key: "bad", value: "bad" }]);
        await until("the bad record", () => worker.requests.length > 0, PATIENT);
        await delivers(place, kafka, worker, 20);
        await kafka.allow(write);
        await kafka.kafka.untilCommitted(place.topic, place.group, PATIENT.timeoutMs);
        await consumer.untilReady(PATIENT.timeoutMs);
        assert.equal((await kafka.kafka.read(`${place.topic}.${place.group}.dlq`)).length, 1);
        assert.equal(consumer.told("no replays are read").length, 1);
        await consumer.stop();
      },
    }),
    t.step({
      ...atOnce,
      name: "does all it can with the rights README gives: delivers, tells its lag, replays",
      fn: async () => {
        const [topic, group] = [
          `t-${crypto.randomUUID().slice(0, 8)}`,
          `g-${crypto.randomUUID().slice(0, 8)}`,
        ];
        await kafka.kafka.make(topic);
        const user = "alice";
        const sides = { user, topic: `${topic}.${group}.`, prefixed: true } as const;
        await kafka.allow(
          { user, operation: "READ", topic },
          { ...sides, operation: "READ" },
          { ...sides, operation: "WRITE" },
          { ...sides, operation: "CREATE" },
          { user, operation: "READ", group, prefixed: true },
          { user, operation: "WRITE", transactionalId: group, prefixed: true },
        );
        const env = { ...ready.env, ...kafka.env("SCRAM"), KAFKA_TOPIC: topic, KAFKA_GROUP_ID: group };
        await using worker = new StubWorker(() => 400);
        await using consumer = startConsumer({ ...env, WORKER_URL: worker.url });
        await kafka.kafka.produce(topic, [{ key: "k", value: "v" }]);
        await kafka.kafka.untilCommitted(topic, group, PATIENT.timeoutMs);
        worker.script = () => 200;
        for (const [task, ...args] of [["dlq", "replay", "--everything"], ["lag"]] as const) {
          await using command = startTask(task, task, env, args);
          assert.equal((await command.exit).code, 0, command.lines.map(({ text }) => text).join("\n"));
        }
        await until("the replay", () => worker.requests.length === 2, PATIENT);
        await consumer.stop();
      },
    }),
    t.step({
      ...atOnce,
      name: "shows a certificate that was renewed on disk from the next connection on",
      fn: async () => {
        const place = await placeIn(kafka);
        await kafka.allow(...place.rights("CN=first"));
        await using worker = new StubWorker();
        const files = { KAFKA_SSL_CERT: first.cert, KAFKA_SSL_KEY: first.key };
        await using consumer = startConsumer({
          ...place.env,
          ...kafka.env("MTLS", files),
          WORKER_URL: worker.url,
        });
        await delivers(place, kafka, worker, 20);
        // A certificate whose key is not there yet ends nothing.
        await Deno.copyFile(second.cert, first.cert);
        await kafka.forbid(...place.rights("CN=first"));
        await forbidden(consumer, "read the topic");
        await until(
          "a connection",
          () => consumer.told("the last certificates are kept").length > 0,
          PATIENT,
        );
        await kafka.allow(...place.rights("CN=second"));
        const delivery = delivers(place, kafka, worker, 20);
        await Deno.copyFile(second.key, first.key);
        await delivery;
        assert.ok(consumer.told("certificates renewed").length > 0);
        await consumer.untilReady(PATIENT.timeoutMs);
        await consumer.stop();
      },
    }),
    t.step({
      ...atOnce,
      name: "renews its token, and goes on when a server that refused it gives one again",
      fn: async () => {
        const place = await placeIn(kafka);
        await kafka.allow(...place.rights("robot"));
        await using worker = new StubWorker();
        const env = { ...place.env, ...kafka.env("OAUTH"), WORKER_URL: worker.url };
        await using consumer = startConsumer(env);
        await delivers(place, kafka, worker, 20);
        const given = kafka.tokens.given;
        await until("another token", () => kafka.tokens.given > given, PATIENT);
        await delivers(place, kafka, worker, 20);
        assert.ok(
          !consumer.child.lines.some(({ text }) => text.includes("SASL state")),
          "it logs in too often",
        );
        kafka.tokens.open = false;
        await consumer.untilCause("kafka-credentials", PATIENT.timeoutMs);
        const delivery = delivers(place, kafka, worker, 20);
        kafka.tokens.open = true;
        await delivery;
        await consumer.untilReady(PATIENT.timeoutMs);
        await consumer.stop();
      },
    }),
  ]);

  await t.step("takes brokers that are away for no refusal, also while it starts and logs in", async () => {
    const place = await placeIn(kafka);
    await kafka.allow(...place.rights("alice"));
    await using worker = new StubWorker();
    const env = { ...place.env, ...kafka.env("SCRAM"), WORKER_URL: worker.url };
    await using running = startConsumer(env);
    await delivers(place, kafka, worker, 20);
    await kafka.broker.kill();
    await using starting = startConsumer(env);
    await starting.untilCause("kafka-unavailable", PATIENT.timeoutMs);
    await kafka.broker.restart();
    await Promise.all([running, starting].map((each) => each.untilReady(PATIENT.timeoutMs)));
    await delivers(place, kafka, worker, 20);
    await kafka.kafka.untilCommitted(place.topic, place.group, PATIENT.timeoutMs);
    assert.deepEqual([await running.stop(), await starting.stop()], [0, 0]);
  });
});

/** Waits until health, metrics and the log say which right is missing. */
async function forbidden(consumer: ConsumerProcess, words: string): Promise<void> {
  await until(`a missing right to ${words}`, async () => {
    const { status, causes, details } = await consumer.ready();
    return status === 503 && causes.includes("kafka-forbidden") && details.includes(words);
  }, PATIENT);
  const metrics = await (await fetch(`${consumer.adminUrl}/metrics`)).text();
  assert.match(metrics, /ackpool_paused\{cause="kafka-forbidden"\} 1/);
  const told = consumer.told("cause").filter(({ fields }) => fields["cause"] === "kafka-forbidden");
  assert.ok(told.some(({ text }) => text.includes(words)));
}
