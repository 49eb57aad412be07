// A running consumer on each kind of listener of a real broker: renewed certificates and tokens, a broker that restarts.

import assert from "node:assert/strict";
import { GuardedKafka } from "../support/kafka/guarded_kafka.ts";
import { GuardedScene, LIMIT_MS, untilForbidden } from "../support/kafka/guarded_scene.ts";
import { StubWorker } from "../support/workers/stub_worker.ts";
import { until } from "../support/until.ts";

const PATIENT = { timeoutMs: LIMIT_MS };

Deno.test("a consumer of a guarded Kafka", async (t) => {
  await using kafka = await GuardedKafka.start();
  const step = (name: string, fn: () => Promise<void>) =>
    t.step({ name, fn, sanitizeOps: false, sanitizeResources: false, sanitizeExit: false });

  // Each mostly waits, and has a topic of its own: they run at the same time.
  await Promise.all([
    step("joins a broker of another name where host names are not verified, and logs that", async () => {
      const scene = await GuardedScene.allowing(kafka, "ANONYMOUS");
      await using worker = new StubWorker();
      await using consumer = scene.consumer(worker, "OTHER", { KAFKA_SSL_VERIFY_HOSTNAME: "false" });
      await consumer.untilReady(LIMIT_MS);
      assert.equal(consumer.logged("host names of brokers are not verified").length, 1);
      await consumer.stop();
    }),
    step("shows a certificate that was renewed on disk from the next connection on", async () => {
      const first = await kafka.authority.issue({ name: "first" });
      const second = await kafka.authority.issue({ name: "second" });
      const scene = await GuardedScene.allowing(kafka, "CN=first");
      await using worker = new StubWorker();
      const files = { KAFKA_SSL_CERT: first.cert, KAFKA_SSL_KEY: first.key };
      await using consumer = scene.consumer(worker, "MTLS", files);
      await scene.deliver(worker, 20);
      // A certificate whose key is not there yet ends nothing.
      await Deno.copyFile(second.cert, first.cert);
      await kafka.forbid(...Object.values(scene.rights("CN=first")));
      await untilForbidden(consumer, "read the topic");
      await until(
        "a connection",
        () => consumer.logged("the last certificates are kept").length > 0,
        PATIENT,
      );
      await kafka.allow(...Object.values(scene.rights("CN=second")));
      const delivery = scene.deliver(worker, 20);
      await Deno.copyFile(second.key, first.key);
      await delivery;
      assert.ok(consumer.logged("certificates renewed").length > 0);
      await consumer.untilReady(LIMIT_MS);
      await consumer.stop();
    }),
    step("renews its token, and goes on when a server that refused it gives one again", async () => {
      const scene = await GuardedScene.allowing(kafka, "robot");
      await using worker = new StubWorker();
      await using consumer = scene.consumer(worker, "OAUTH");
      await scene.deliver(worker, 20);
      const given = kafka.tokens.given;
      await until("another token", () => kafka.tokens.given > given, PATIENT);
      await scene.deliver(worker, 20);
      const early = consumer.child.lines.filter(({ text }) => text.includes("SASL state"));
      assert.deepEqual(early, [], "it logs in too often");
      kafka.tokens.open = false;
      await consumer.untilCause("kafka-credentials", LIMIT_MS);
      const delivery = scene.deliver(worker, 20);
      kafka.tokens.open = true;
      await delivery;
      await consumer.untilReady(LIMIT_MS);
      await consumer.stop();
    }),
  ]);

  await t.step(
    "does not take brokers that are away for a refusal, also while it starts and logs in",
    async () => {
      const scene = await GuardedScene.allowing(kafka, "alice");
      await using worker = new StubWorker();
      await using running = scene.consumer(worker, "SCRAM");
      await scene.deliver(worker, 20);
      await kafka.broker.kill();
      await using starting = scene.consumer(worker, "SCRAM");
      await starting.untilCause("kafka-unavailable", LIMIT_MS);
      await kafka.broker.restart();
      await Promise.all([running, starting].map((each) => each.untilReady(LIMIT_MS)));
      await scene.deliver(worker, 20);
      await scene.untilCommitted();
      assert.deepEqual([await running.stop(), await starting.stop()], [0, 0]);
    },
  );
});
