// Ten thousand dead letters on real Kafka: their replay is killed with -9 half way, and resumed.

import assert from "node:assert/strict";
import { Scene } from "../support/processes/consumer_process.ts";
import { runCommand, startCommand } from "../support/processes/dlq_command.ts";
import { readCommitted } from "../support/kafka/read_committed.ts";
import { PARTITIONS, TestKafka } from "../support/kafka/test_kafka.ts";
import { until } from "../support/until.ts";

const LETTERS = 10_000;

Deno.test("a replay of 10,000 dead letters killed with -9 twice and resumed loses none and replays none twice", async () => {
  await using kafka = await TestKafka.start();
  assert.ok(kafka.real, "run this through `deno task test:real`");
  const scene = await Scene.in(kafka);
  await kafka.produce(
    scene.deadLetterTopic,
    Array.from({ length: LETTERS }, (_, index) => ({
      key: `k${index}`,
      value: String(index),
      headers: {
        "ackpool-origin-topic": scene.topic,
        "ackpool-origin-partition": String(index % PARTITIONS),
        "ackpool-origin-offset": String(index),
        "ackpool-origin-timestamp": "1700000000000",
        "ackpool-replays": "0",
      },
    })),
  );
  for (const share of [0.3, 0.6]) {
    await using killed = startCommand("dlq", scene, ["replay", "--everything", "--rate", "2000"]);
    await until(
      `${share * 100}% replayed`,
      async () => await replayed(kafka, scene) >= LETTERS * share || killed.status !== undefined,
      { everyMs: 10 },
    );
    assert.equal(killed.status, undefined, "it ended before it was killed");
    killed.kill("SIGKILL");
    await killed.exit;
  }
  const partly = (await readCommitted(kafka.brokers, scene.retryTopic)).length;
  assert.ok(partly > 0 && partly < LETTERS, `${partly} were replayed before the last run`);

  const { code, text } = await runCommand("dlq", scene, ["replay", "--everything", "--json"]);
  assert.equal(code, 0, text);
  const summary = JSON.parse(text);
  // What the last kill caught between sending and committing is undone by the next run, and not counted before it.
  assert.equal(summary.end, "done");

  const values = (await readCommitted(kafka.brokers, scene.retryTopic)).map(({ value }) => Number(value));
  assert.equal(values.length, LETTERS);
  assert.equal(new Set(values).size, LETTERS);
  const left = await runCommand("dlq", scene, ["list"]);
  assert.match(left.text, /^None of the 10,000 dead letters is open and matches/);
});

async function replayed(kafka: TestKafka, scene: Scene): Promise<number> {
  return [...(await kafka.ends(scene.retryTopic)).values()].reduce((sum, end) => sum + end, 0);
}
