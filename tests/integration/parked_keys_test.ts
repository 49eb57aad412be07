// PARK_KEYS on Kafka, with real processes: what follows a dead letter of its key, and in which order all of it goes on.

import assert from "node:assert/strict";
import type { ConsumerProcess } from "../support/processes/consumer_process.ts";
import { Scene } from "../support/processes/consumer_process.ts";
import { runCommand } from "../support/processes/dlq_command.ts";
import { problem, StubWorker } from "../support/workers/stub_worker.ts";
import { TestKafka } from "../support/kafka/test_kafka.ts";
import { until } from "../support/until.ts";

const PARKING = { DELIVERY_MODE: "key", PARK_KEYS: "true" };
const PARTITION = 1;

async function produce(scene: Scene, key: string, ...values: readonly string[]): Promise<void> {
  await scene.kafka.produce(scene.topic, values.map((value) => ({ key, value, partition: PARTITION })));
}

/** What the worker was asked about a key, in order. */
function delivered({ requests }: StubWorker, key: string): readonly string[] {
  return requests.map(({ text }) => text).filter((text) => text.startsWith(key));
}

/** Dead letters of the scene, marks left out. */
async function letters({ kafka, deadLetterTopic }: Scene) {
  const all = await kafka.read(deadLetterTopic);
  return all.filter(({ headers }) => headers["ackpool-mark"] === undefined);
}

async function parkedOf(consumer: ConsumerProcess) {
  return await (await fetch(`${consumer.adminUrl}/parked`)).json();
}

Deno.test("the consumer, with PARK_KEYS,", async (t) => {
  await using kafka = await TestKafka.start();

  await t.step(
    "parks what follows a dead letter, across kill -9, until its replay; then all goes in order",
    async () => {
      const scene = await Scene.in(kafka);
      await using worker = new StubWorker(({ text }) =>
        text === "k-bad" ? problem(422, "/problems/bad") : 200
      );
      await produce(scene, "k", "k-bad", "k-1", "k-2");
      await produce(scene, "o", "o-1");
      const killed = scene.consumer([worker], PARKING);
      await scene.untilCommitted();
      const first = await letters(scene);
      assert.deepEqual(
        first.map((
          { value, headers },
        ) => [String(value), headers["ackpool-status"], headers["ackpool-reason"]]),
        [
          ["k-bad", "422", "rejected"],
          ["k-1", "parked", `parked behind ${scene.topic}/${PARTITION}/0`],
          ["k-2", "parked", `parked behind ${scene.topic}/${PARTITION}/0`],
        ],
      );
      assert.equal(await killed.metric("ackpool_parked_keys"), 1);
      await killed.child.end("SIGKILL");

      await produce(scene, "k", "k-3");
      await produce(scene, "o", "o-2");
      await using consumer = scene.consumer([worker], PARKING);
      await scene.untilCommitted();
      assert.deepEqual((await letters(scene)).map(({ value }) => String(value)), [
        "k-bad",
        "k-1",
        "k-2",
        "k-3",
      ]);
      assert.deepEqual([delivered(worker, "k"), delivered(worker, "o")], [["k-bad"], ["o-1", "o-2"]]);
      const { total, keys: [parked] } = await parkedOf(consumer);
      assert.deepEqual([total, parked.key, parked.state, parked.behind, parked.letters], [
        1,
        "k",
        "parked",
        0,
        4,
      ]);

      const list = await runCommand("dlq", scene, ["list", "--json"]);
      const { causes } = JSON.parse(list.text);
      assert.deepEqual(
        causes.map(({ cause, count, parked }: Record<string, unknown>) => [cause, count, parked]),
        [["rejected 422 /problems/bad", 4, 3]],
      );
      const alone = await runCommand("dlq", scene, ["replay", "--status", "parked"]);
      assert.match(alone.text, /3 left out: an earlier record of the same key is still a dead letter/);

      // Slow replays: what comes meanwhile has every chance to overtake them.
      worker.script = async () => {
        await new Promise((resolve) => setTimeout(resolve, 100));
        return 200;
      };
      const replay = await runCommand("dlq", scene, ["replay", "--status", "422"]);
      assert.equal(replay.code, 0, replay.text);
      await produce(scene, "k", "k-4");
      await until("the key is free", async () => (await parkedOf(consumer)).total === 0);
      await produce(scene, "k", "k-5");
      await until("the last record", () => delivered(worker, "k").includes("k-5"));
      assert.deepEqual(delivered(worker, "k"), ["k-bad", "k-bad", "k-1", "k-2", "k-3", "k-4", "k-5"]);
      await until("nothing is parked", async () => await consumer.metric("ackpool_parked_keys") === 0);
      assert.equal(await consumer.stop(), 0);
    },
  );

  await t.step("is refused in every other mode", async () => {
    const scene = await Scene.in(kafka);
    await using worker = new StubWorker();
    await using consumer = scene.consumer([worker], { PARK_KEYS: "true" });
    const { code } = await consumer.child.exit;
    assert.equal(code, 2);
    const said = consumer.child.lines.map(({ text }) => text).join("\n");
    assert.match(said, /PARK_KEYS=true needs DELIVERY_MODE=key: current value is \\?"parallel/);
  });
});
