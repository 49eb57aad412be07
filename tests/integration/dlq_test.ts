// `deno task dlq` on Kafka: what it lists, shows, replays and drops, and that nothing is replayed twice.

import assert from "node:assert/strict";
import { runCommand, startCommand } from "../support/processes/dlq_command.ts";
import { Signatures } from "../../consumer/dead_letters/signatures.ts";
import { DeadLetterOperations } from "../../consumer/dead_letter_operations.ts";
import { type DlqCommand, parseDlqArguments } from "../../consumer/cli/dlq_arguments.ts";
import { listAsJson } from "../../consumer/dead_letters/json.ts";
import { createKafka } from "../../consumer/kafka/client/client.ts";
import { readCommitted } from "../support/kafka/read_committed.ts";
import { Scene, values } from "../support/processes/consumer_process.ts";
import { problem, StubWorker } from "../support/workers/stub_worker.ts";
import { PARTITIONS, TestKafka } from "../support/kafka/test_kafka.ts";
import { until } from "../support/until.ts";

/** A operations for each scene: it joins once, where every command of its own would wait for the group anew. */
class Desks implements AsyncDisposable {
  readonly #desks: Map<Scene, DeadLetterOperations> = new Map();

  /** What `deno task dlq list --json` prints. */
  async list(scene: Scene, ...args: string[]) {
    const command = parse("list", args);
    return listAsJson(await this.#of(scene).list(command));
  }

  async replay(scene: Scene, ...args: string[]) {
    return await this.#of(scene).replay(
      parse("replay", args).request,
      () => {},
      new AbortController().signal,
    );
  }

  async drop(scene: Scene, ...args: string[]) {
    return await this.#of(scene).drop(parse("drop", args).request, new AbortController().signal);
  }

  #of(scene: Scene): DeadLetterOperations {
    const operations = this.#desks.get(scene) ?? deskOf(scene);
    this.#desks.set(scene, operations);
    return operations;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const operations of this.#desks.values()) await operations.close();
  }
}

function parse<Name extends DlqCommand["name"]>(name: Name, args: readonly string[]) {
  const command = parseDlqArguments([name, ...args], Date.now(), 3);
  assert.equal(command.name, name);
  return command as Extract<DlqCommand, { name: Name }>;
}

function deskOf({ kafka, topic, groupId }: Scene): DeadLetterOperations {
  const client = createKafka({
    brokers: [kafka.brokers],
    clientId: "ackpool-test",
    tls: undefined,
    sasl: undefined,
  });
  return new DeadLetterOperations(client, {
    source: { topics: { names: [topic], patterns: [] }, groupId },
    deadLetterTopic: undefined,
    retryTopic: undefined,
  }, new Signatures([]));
}

/** Dead letters as the consumer writes them, without one. */
function letters(scene: Scene, count: number, status = "422") {
  return Array.from({ length: count }, (_, index) => ({
    key: `k${index}`,
    value: `{"n":${index}}`,
    headers: {
      mine: "y",
      "ackpool-origin-topic": scene.topic,
      "ackpool-origin-partition": String(index % PARTITIONS),
      "ackpool-origin-offset": String(index),
      "ackpool-origin-timestamp": String(1_700_000_000_000 + index),
      "ackpool-status": status,
      "ackpool-reason": "rejected",
      "ackpool-problem": '{"type":"/problems/bad"}',
      "ackpool-attempts": "1",
      "ackpool-replays": "0",
      "ackpool-dead-lettered-at": new Date(1_760_000_000_000 + index).toISOString(),
    },
  }));
}

Deno.test("deno task dlq", async (t) => {
  await using kafka = await TestKafka.start();
  await using desks = new Desks();

  await t.step("says that there is no dead letter", async () => {
    const scene = await Scene.in(kafka);
    const { code, text } = await runCommand("dlq", scene, ["list"]);
    assert.deepEqual({ code, text }, { code: 0, text: "There is no dead letter." });
  });

  await t.step("lists by cause, filtered, the newest first, and shows one whole", async () => {
    const scene = await Scene.in(kafka);
    await kafka.produce(scene.deadLetterTopic, [...letters(scene, 30), ...letters(scene, 5, "500")]);
    const all = await desks.list(scene, "--limit", "2");
    assert.deepEqual(
      all.causes.map(({ cause, count }) => [cause, count]),
      [["rejected 422 /problems/bad", 30], ["rejected 500 /problems/bad", 5]],
    );
    assert.deepEqual(all.dead_letters.map(({ key }) => key), ["k29", "k28"]);
    const few = await desks.list(scene, "--status", "5xx", "--grep", '"N":3}', "--since", "2025-01-01");
    assert.deepEqual(few.dead_letters.map(({ key }) => key), ["k3"]);
    const show = await runCommand("dlq", scene, ["show", few.dead_letters[0]?.at ?? "", "--json"]);
    assert.equal(show.code, 0, show.text);
    const shown = JSON.parse(show.text);
    assert.equal(shown.value, '{"n":3}');
    assert.equal(shown.headers.mine, "y");
    assert.deepEqual(shown.origin, { at: `${scene.topic}/3/3`, time: "2023-11-14T22:13:20.003Z" });
    const absent = await runCommand("dlq", scene, ["show", `${scene.deadLetterTopic}/0/99999`]);
    assert.deepEqual(absent.code, 1);
    assert.match(absent.text, /There is no dead letter at/);
  });

  await t.step(
    "replays each once, to its origin's partition, with its origin and one replay more",
    async () => {
      const scene = await Scene.in(kafka);
      await kafka.produce(scene.deadLetterTopic, letters(scene, 40));
      const dry = await desks.replay(scene, "--everything", "--dry-run");
      assert.deepEqual([dry.end, dry.meant, dry.replayed], ["dry-run", 40, 0]);
      const first = await desks.replay(scene, "--everything", "--max", "15");
      assert.deepEqual([first.end, first.replayed], ["done", 15]);
      const dropped = await desks.drop(scene, "--key", "k39");
      assert.deepEqual(dropped, { meant: 1, dropped: 1, parked: 0 });
      await desks.replay(scene, "--everything");
      const none = await desks.replay(scene, "--everything");
      assert.deepEqual([none.meant, none.replayed], [0, 0]);
      const list = await desks.list(scene);
      assert.deepEqual([list.total, list.meant], [40, 0]);
      const replayed = await readCommitted(kafka.brokers, scene.retryTopic);
      assert.deepEqual(
        replayed.map(({ value }) => value).sort(),
        letters(scene, 39).map(({ value }) => value).sort(),
      );
      for (const { partition, headers } of replayed) {
        assert.equal(String(partition), headers["ackpool-origin-partition"]);
        assert.equal(headers["ackpool-replays"], "1");
        assert.equal(headers["mine"], "y");
        assert.equal(headers["ackpool-status"], undefined);
        assert.match(headers["ackpool-origin-timestamp"] ?? "", /^17000000000\d\d$/);
      }
    },
  );

  await t.step("says what a canary was answered that does not settle", async () => {
    const scene = await Scene.in(kafka);
    await using worker = new StubWorker(() => problem(422, "/problems/bad"));
    await scene.produce(values(3));
    await using consumer = scene.consumer([worker]);
    await scene.untilCommitted();
    worker.script = () => Response.json({ detail: "Not for this tenant" }, { status: 403 });
    const args = ["replay", "--everything", "--canary", "1", "--canary-timeout", "3s"];
    const env = { ADMIN_PORT: new URL(consumer.adminUrl).port };
    const { code, text } = await runCommand("dlq", scene, args, env);
    assert.equal(code, 1);
    assert.match(text, /0 of 1 canaries settled in time: the other 2 were not replayed\./);
    assert.match(text, /\.retry\/\d\/\d+: .*last answer 403 \(Not for this tenant\)/);
  });

  await t.step("goes all the way: canaries come back, then settle, and the rest follows", async () => {
    const scene = await Scene.in(kafka);
    await using worker = new StubWorker(() => problem(422, "/problems/bad"));
    await scene.produce(values(12));
    await using _consumer = scene.consumer([worker]);
    await scene.untilCommitted();

    const back = await runCommand("dlq", scene, ["replay", "--everything", "--canary", "2"]);
    assert.equal(back.code, 1);
    assert.match(
      back.text,
      /of 2 canaries came back \(rejected 422 \/problems\/bad\): the other 10 were not/,
    );
    worker.script = () => 200;
    const before = worker.requests.length;
    const fine = await desks.replay(scene, "--everything", "--canary", "2");
    assert.deepEqual([fine.end, fine.replayed, fine.canary?.settled], ["done", 12, 2]);
    await scene.kafka.untilCommitted(scene.retryTopic, scene.groupId);
    const replays = worker.requests.slice(before);
    assert.deepEqual(replays.map(({ text }) => text).sort(), values(12).sort());
    // A replay is the same record: the worker knows it by the key of the place it was first read at.
    assert.ok(replays.every(({ key }) => key.startsWith(`${scene.topic}/`)));
  });

  await t.step("leaves what was replayed too often, so that nothing goes round for ever", async () => {
    const scene = await Scene.in(kafka);
    await using worker = new StubWorker(() => problem(422, "/problems/bad"));
    await scene.produce(["v"]);
    await using _consumer = scene.consumer([worker]);
    await scene.untilCommitted();
    for (const replays of [1, 2]) {
      const { replayed } = await desks.replay(scene, "--everything", "--replays-max", "2");
      assert.equal(replayed, 1);
      await until("its return", async () => {
        const { dead_letters: [letter] } = await desks.list(scene);
        return letter?.replays === replays;
      });
    }
    const stopped = await desks.replay(scene, "--everything", "--replays-max", "2");
    assert.deepEqual([stopped.meant, stopped.looping], [0, 1]);
    const again = await desks.list(scene, "--all");
    assert.deepEqual([again.total, again.meant], [3, 3]);
  });

  await t.step("stopped with SIGTERM half way, goes on where it was", async () => {
    const scene = await Scene.in(kafka);
    await kafka.produce(scene.deadLetterTopic, letters(scene, 60));
    await using half = startCommand("dlq", scene, ["replay", "--everything", "--rate", "20"]);
    await until("some replays", async () => (await sum(kafka, scene.retryTopic)) >= 10);
    assert.equal((await half.end("SIGTERM")).code, 130);
    assert.match(half.lines.map(({ text }) => text).join("\n"), /Stopped after \d+ of 60/);
    const rest = await desks.replay(scene, "--everything");
    assert.equal(rest.end, "done");
    const replayed = await readCommitted(kafka.brokers, scene.retryTopic);
    assert.deepEqual(
      replayed.map(({ value }) => value).sort(),
      letters(scene, 60).map(({ value }) => value).sort(),
    );
  });

  await t.step("is there over HTTP, too, and lets more through where the budget is used up", async () => {
    const scene = await Scene.in(kafka);
    await using worker = new StubWorker(() => problem(422, "/problems/bad"));
    await scene.produce(values(3));
    await using consumer = scene.consumer([worker], { DEAD_LETTER_BURST: "1", DEAD_LETTER_SHARE: "0" });
    const url = `${consumer.adminUrl}/dead-letters`;
    const post = async (path: string, body: unknown) =>
      await fetch(url + path, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
    await consumer.untilCause("dead-letter-flood");
    assert.deepEqual(await (await post("/allow", { count: 2 })).json(), { allowed: 2 });
    await scene.untilCommitted();
    const list = await (await fetch(url)).json();
    assert.deepEqual([list.meant, list.causes[0].cause], [3, "rejected 422 /problems/bad"]);
    const shown = await (await fetch(`${url}/${list.dead_letters[0].at}`)).json();
    assert.ok(values(3).includes(shown.value));
    worker.script = () => 200;
    const replay = await post("/replay", { filter: { statuses: ["422"] }, canary: 1 });
    assert.equal(replay.status, 202, await replay.text());
    const ended = await until("the replay's end", async () => {
      const state = await (await fetch(`${url}/replay`)).json();
      return state.state === "running" ? undefined : state;
    });
    assert.deepEqual([ended.state, ended.summary?.replayed], ["ended", 3], JSON.stringify(ended));
    await kafka.untilCommitted(scene.retryTopic, scene.groupId);
  });

  await t.step("asks which, and says what it does not understand", async () => {
    const scene = await Scene.in(kafka);
    const which = await runCommand("dlq", scene, ["replay"]);
    assert.deepEqual([which.code, /Say which/.test(which.text)], [2, true]);
    const rate = await runCommand("dlq", scene, ["replay", "--everything", "--rate", "fast"]);
    assert.match(rate.text, /--rate is not a whole number from 1 on: current value is "fast"/);
  });
});

async function sum(kafka: TestKafka, topic: string): Promise<number> {
  return [...(await kafka.ends(topic)).values()].reduce((all, end) => all + end, 0);
}
