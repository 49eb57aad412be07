// `deno task lag` on Kafka: what is behind, what is settled ahead, and how old the oldest is.

import assert from "node:assert/strict";
import { Scene, values } from "../support/processes/consumer_process.ts";
import { runCommand, startCommand } from "../support/processes/dlq_command.ts";
import { Gate, StubWorker } from "../support/workers/stub_worker.ts";
import { TestKafka } from "../support/kafka/test_kafka.ts";
import { until } from "../support/until.ts";

interface Report {
  readonly lag: number;
  readonly settled_ahead: number;
  readonly partitions: readonly {
    readonly topic: string;
    readonly partition: number;
    readonly current_offset: number | null;
    readonly lag: number;
    readonly settled_ahead: number;
    readonly oldest_age_ms: number | null;
  }[];
}

Deno.test("deno task lag", async (t) => {
  await using kafka = await TestKafka.start();

  await t.step("counts what a group that has committed nothing will read", async () => {
    const scene = await Scene.in(kafka);
    const timestamp = String(Date.now() - 3_600_000);
    await kafka.produce(scene.topic, values(10).map((value) => ({ value, partition: 2, timestamp })));
    const { code, text } = await runCommand("lag", scene, []);
    assert.equal(code, 0, text);
    const [head, ...rows] = text.split("\n").map((line) => line.trim().split(/\s+/));
    assert.deepEqual(head, [
      "GROUP",
      "TOPIC",
      "PARTITION",
      "CURRENT-OFFSET",
      "LOG-END-OFFSET",
      "LAG",
      "SETTLED-AHEAD",
      "OLDEST-AGE",
    ]);
    assert.deepEqual(rows.find(([, topic, partition]) => topic === scene.topic && partition === "2"), [
      scene.groupId,
      scene.topic,
      "2",
      "-",
      "10",
      "10",
      "0",
      "1h0m",
    ]);
    assert.ok(rows.some(([, topic]) => topic === scene.retryTopic));
  });

  await t.step("tells what is settled ahead of one stuck record, and goes to 0 behind it", async () => {
    const scene = await Scene.in(kafka);
    const gate = new Gate();
    await using worker = new StubWorker(({ text }) => text === "v3" ? gate.opened.then(() => 200) : 200);
    await scene.produce(values(20), 0);
    await using _consumer = scene.consumer([worker]);
    await using watching = startCommand("lag", scene, ["--watch", "--json"]);
    const last = () => JSON.parse(watching.lines.at(-1)?.text ?? "{}") as Report;
    await until("16 settled ahead", () => last().settled_ahead === 16);
    const stuck = last().partitions.find(({ topic, partition }) => topic === scene.topic && partition === 0);
    assert.deepEqual([stuck?.current_offset, stuck?.lag], [3, 17]);
    assert.ok((stuck?.oldest_age_ms ?? -1) >= 0);
    gate.open();
    await until("no lag", () => last().lag === 0 && last().settled_ahead === 0);
    assert.ok(last().partitions.every(({ oldest_age_ms: age }) => age === null));
    assert.equal((await watching.end("SIGTERM")).code, 0);
  });

  await t.step("names the record that holds a partition up, with its last answer", async () => {
    const scene = await Scene.in(kafka);
    await using worker = new StubWorker(({ text }) =>
      text === "v0" ? Response.json({ title: "Forbidden", detail: "No such tenant" }, { status: 403 }) : 200
    );
    await scene.produce(values(10), 0);
    await using consumer = scene.consumer([worker]);
    await until("a second refusal", () => worker.requests.filter(({ text }) => text === "v0").length > 2);
    const env = { ADMIN_PORT: new URL(consumer.adminUrl).port };
    const { text } = await runCommand("lag", scene, [], env);
    const head = `HEAD ${scene.topic}/0/0: `;
    const line = text.split("\n").find((each) => each.startsWith(head)) ?? text;
    assert.match(line, /attempts, 0 counted, last answer 403 \(No such tenant\)/);
    assert.ok(line.endsWith(`deno task dlq take ${scene.topic}/0/0`), line);
    const { heads } = JSON.parse((await runCommand("lag", scene, ["--json"], env)).text);
    assert.deepEqual(
      heads.map(({ at, last, said }: Record<string, string>) => [at, last, said]),
      [[`${scene.topic}/0/0`, "403", "No such tenant"]],
    );
  });

  await t.step("says what holds delivery up and what to do, in a consumer's own words", async () => {
    const scene = await Scene.in(kafka);
    const said = { detail: "no model gpt-x", remedy: "Set OPENAI_MODEL." };
    await using worker = new StubWorker(() => Response.json(said, { status: 403 }));
    await using consumer = scene.consumer([worker]);
    await scene.produce(values(10), 0);
    await consumer.untilCause("misconfigured");
    const env = { ADMIN_PORT: new URL(consumer.adminUrl).port };
    const { code, text } = await runCommand("lag", scene, [], env);
    assert.equal(code, 0, text);
    assert.match(text, /Held up by misconfigured for \d+ s: .*403 \(no model gpt-x\) from http:/);
    assert.match(text, /What to do: Set OPENAI_MODEL\./);
    const why = await runCommand("why", scene, [], env);
    assert.equal(why.code, 3, why.text);
    assert.match(why.text, /^Held up by misconfigured/);
    await until("the cause in the log", () => consumer.logged("cause").length > 0);
    await using tail = startCommand("tail", scene, ["--kind", "settled", "--json"], env);
    await until("somebody who watches", async () => {
      worker.script = () => 200;
      await scene.produce(["more"], 0);
      return tail.lines.length > 0;
    });
    const decision = JSON.parse(tail.lines[0]?.text ?? "");
    assert.deepEqual([decision.kind, decision.topic, decision.last], ["settled", scene.topic, "200"]);
    await consumer.untilReady();
    const over = await runCommand("why", scene, [], env);
    assert.equal(over.code, 0, over.text);
    const goesOn = await until("the end in the log", () => consumer.logged("delivery goes on")[0]);
    assert.equal(goesOn.fields["after"], "misconfigured");
  });

  await t.step("says in one line that there is no such topic", async () => {
    const scene = await Scene.in(kafka);
    const { code, text } = await runCommand("lag", { ...scene, topic: "absent", kafka, groupId: "g" }, []);
    assert.deepEqual([code, text], [1, "ackpool: There is no topic absent"]);
  });
});
