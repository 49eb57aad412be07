// `deno task dlq take`: an operator ends what would hold a partition's watermark for ever.

import assert from "node:assert/strict";
import { Scene, values } from "../support/processes/consumer_process.ts";
import { runCommand } from "../support/processes/dlq_command.ts";
import { problem, StubWorker } from "../support/workers/stub_worker.ts";
import { TestKafka } from "../support/kafka/test_kafka.ts";
import { until } from "../support/until.ts";

Deno.test("deno task dlq take", async (t) => {
  await using kafka = await TestKafka.start();

  await t.step(
    "dead-letters the one record that a worker refuses for ever, and the watermark goes on",
    async () => {
      const scene = await Scene.in(kafka);
      await using worker = new StubWorker(({ text }) =>
        text === "refused" ? problem(403, "/problems/tenant") : 200
      );
      await scene.produce(["refused", ...values(30)], 1);
      await using consumer = scene.consumer([worker], { DEAD_LETTER_BURST: "1", DEAD_LETTER_SHARE: "0" });
      const url = `${consumer.adminUrl}/records/${scene.topic}/1/0`;
      await until("everything else", () => worker.deliveries.size === 31);
      await until("a second refusal", async () => (await (await fetch(url)).json()).posts > 1);
      assert.equal((await fetch(`${consumer.adminUrl}/records/${scene.topic}/1/5`)).status, 404);

      const gone = await runCommand("dlq", scene, [
        "take",
        `${scene.topic}/1/5`,
        "--admin",
        consumer.adminUrl,
      ]);
      assert.deepEqual([gone.code, /does not hold/.test(gone.text)], [1, true], gone.text);
      const taken = await runCommand("dlq", scene, ["take", scene.topic, "1", "0"], {
        ADMIN_PORT: new URL(consumer.adminUrl).port,
      });
      assert.equal(taken.code, 0, taken.text);
      assert.match(taken.text, /\/1\/0 is dead-lettered/);
      await scene.untilCommitted();
      const [letter, ...others] = await kafka.read(scene.deadLetterTopic);
      assert.deepEqual(others, []);
      assert.deepEqual(
        [String(letter?.value), letter?.headers["ackpool-reason"], letter?.headers["ackpool-status"]],
        ["refused", "operator", "403"],
      );
      assert.equal(consumer.logged("taken out by an operator").length, 1);
      assert.equal(await consumer.stop(), 0);
    },
  );

  await t.step("says so when no consumer answers", async () => {
    const scene = await Scene.in(kafka);
    const { code, text } = await runCommand("dlq", scene, ["take", "t/0/0", "--admin", "http://127.0.0.1:1"]);
    assert.deepEqual([code, text.includes("http://127.0.0.1:1: ")], [1, true], text);
  });
});
