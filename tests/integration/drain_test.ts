// `deno task drain` on Kafka: it ends when nothing is left, alone or beside others, once or by the clock.

import assert from "node:assert/strict";
import { Scene, values } from "../support/processes/consumer_process.ts";
import { runCommand, startCommand } from "../support/processes/dlq_command.ts";
import type { Child } from "../support/processes/process.ts";
import { Gate, problem, StubWorker } from "../support/workers/stub_worker.ts";
import { TestKafka } from "../support/kafka/test_kafka.ts";
import { until } from "../support/until.ts";

const logged = (child: Child, message: string) =>
  child.lines.filter(({ fields }) => fields["message"] === message).map(({ fields }) => fields);

const environment = (worker: StubWorker) => ({
  WORKER_URL: worker.url,
  IDLE_EXIT_MS: "500",
  COMMIT_INTERVAL_MS: "100",
  // The embedded broker does not understand that a member leaves: the next run waits for this.
  KAFKA_SESSION_TIMEOUT_MS: "4000",
  LOG_FORMAT: "json",
});

Deno.test("deno task drain", async (t) => {
  await using kafka = await TestKafka.start();

  await t.step("delivers what there is, says what it did and exits 0", async () => {
    const scene = await Scene.in(kafka);
    await using worker = new StubWorker(({ text }) => text === "v7" ? problem(422, "/problems/bad") : 200);
    await scene.produce(values(50));
    await using drain = startCommand("drain", scene, [], environment(worker));
    assert.equal((await drain.exit).code, 0, drain.failure("").message);
    const [summary, ...others] = logged(drain, "drained");
    assert.deepEqual(others, []);
    const { settled, deadLettered, retries, idle, clean } = summary ?? {};
    assert.deepEqual({ settled, deadLettered, retries, idle, clean }, {
      settled: 50,
      deadLettered: 1,
      retries: 0,
      idle: true,
      clean: true,
    });
    assert.equal(await kafka.lag(scene.topic, scene.groupId), 0);
  });

  await t.step("shares the group with a run that overlaps: each record goes to one of them", async () => {
    const scene = await Scene.in(kafka);
    await using worker = new StubWorker();
    await scene.produce(values(200));
    const both = [1, 2].map(() => startCommand("drain", scene, [], environment(worker)));
    const codes = await Promise.all(both.map(async (child) => (await child.exit).code));
    assert.deepEqual(codes, [0, 0], both.map((child) => child.failure("").message).join("\n"));
    assert.equal(worker.deliveries.size, 200);
    assert.equal(await kafka.lag(scene.topic, scene.groupId), 0);
  });

  await t.step("runs by the clock, and ends on SIGTERM", async () => {
    const scene = await Scene.in(kafka);
    const gate = new Gate();
    await using worker = new StubWorker(() => gate.opened.then(() => 200));
    await scene.produce(values(5));
    const args = ["--every", "1s", "--no-overlap"];
    await using drain = startCommand("drain", scene, args, environment(worker));
    await until(
      "a run that is not begun",
      () => logged(drain, "skipped: the last run is still going").length > 0,
    );
    gate.open();
    await until("the first run", () => logged(drain, "drained").length >= 1);
    await scene.produce(values(5, "w"));
    await until("the second five", () => worker.deliveries.size === 10);
    await until("their run's end", () => logged(drain, "drained").length >= 2);
    assert.equal((await drain.end("SIGTERM")).code, 0);
    assert.equal(await kafka.lag(scene.topic, scene.groupId), 0);
  });

  await t.step("says what is wrong with a schedule", async () => {
    const scene = await Scene.in(kafka);
    await using worker = new StubWorker();
    const { code, text } = await runCommand("drain", scene, ["--every", "often"], environment(worker));
    assert.equal(code, 1);
    assert.match(
      text,
      /--every is neither a time such as 5m nor a cron expression: current value is "often"/,
    );
  });
});
