// A group with DEAD_LETTER_SECRET, and somebody who may write to its topics but does not know the secret.

import assert from "node:assert/strict";
import { DeadLetterOperations } from "../../consumer/dead_letter_operations.ts";
import { listAsJson } from "../../consumer/dead_letters/json.ts";
import { SecretMissing, Signatures } from "../../consumer/dead_letters/signatures.ts";
import { createKafka } from "../../consumer/kafka/client/client.ts";
import { Scene } from "../support/processes/consumer_process.ts";
import { readCommitted } from "../support/kafka/read_committed.ts";
import { problem, StubWorker } from "../support/workers/stub_worker.ts";
import { TestKafka } from "../support/kafka/test_kafka.ts";
import { until } from "../support/until.ts";

const SECRET = { DEAD_LETTER_SECRET: "a secret of this group" };
const MARK = { "ackpool-mark": "dropped", "ackpool-mark-offsets": "0-999999" };

/** Headers that would make a record a dead letter, or a replay, of another one. */
function forged(topic: string): Readonly<Record<string, string>> {
  return {
    "ackpool-origin-topic": topic,
    "ackpool-origin-partition": "0",
    "ackpool-origin-offset": "999999999",
    "ackpool-origin-timestamp": "999999999999999",
    "ackpool-replayed-from": `${topic}.dlq/0/0`,
    "ackpool-replays": "99",
    "ackpool-reason": "rejected",
  };
}

const REPLAY = {
  filter: {},
  rate: undefined,
  max: undefined,
  dryRun: false,
  canary: 0,
  canaryTimeoutMs: 1,
  replaysMax: 3,
};
const { signal } = new AbortController();

function operationsOf({ kafka, topic, groupId }: Scene, signatures: Signatures): DeadLetterOperations {
  const brokers = [kafka.brokers];
  const client = createKafka({ brokers, clientId: "ackpool-test", tls: undefined, sasl: undefined });
  const source = { topics: { names: [topic], patterns: [] }, groupId };
  return new DeadLetterOperations(
    client,
    { source, deadLetterTopic: undefined, retryTopic: undefined },
    signatures,
  );
}

Deno.test("what no secret proves is believed nowhere, and told", async (t) => {
  await using kafka = await TestKafka.start();
  const scene = await Scene.in(kafka);
  const { topic, deadLetterTopic, retryTopic } = scene;
  await using worker = new StubWorker(() => problem(422, "/problems/bad"));
  const headers = { ...MARK, ...forged("elsewhere"), own: "kept" };
  await kafka.produce(topic, [{ key: "k", value: "mine", headers }]);
  await using consumer = scene.consumer([worker], SECRET);
  await using desks = new AsyncDisposableStack();
  const [ours, without, vouching] = [
    new Signatures([SECRET.DEAD_LETTER_SECRET]),
    new Signatures([]),
    new Signatures([SECRET.DEAD_LETTER_SECRET], true),
  ].map((signatures) => desks.adopt(operationsOf(scene, signatures), (desk) => desk.close()));
  assert.ok(ours && without && vouching);
  const causes = async (desk: DeadLetterOperations) =>
    listAsJson(await desk.list({ filter: {}, all: false, limit: 0 })).causes
      .map(({ cause, count }) => [cause, count]).sort();
  await scene.untilCommitted();
  worker.script = () => 200;

  await t.step("headers of a record that was read are carried under other names", async () => {
    const [letter] = await readCommitted(kafka.brokers, deadLetterTopic);
    assert.equal(letter?.headers["ackpool-origin-topic"], topic);
    assert.equal(letter?.headers["ackpool-carried-ackpool-origin-topic"], "elsewhere");
    assert.equal(letter?.headers["ackpool-mark"], undefined);
    assert.match(letter?.headers["ackpool-signature"] ?? "", /^v1:[\w-]{43}$/);
  });

  await t.step("marks and letters of others hide nothing and are listed as unsigned", async () => {
    const partitions = [0, 1, 2];
    await kafka.produce(deadLetterTopic, [
      ...partitions.map((partition) => ({ key: null, value: null, headers: MARK, partition })),
      { key: "k", value: "theirs", headers: forged(topic) },
    ]);
    assert.deepEqual(await causes(ours), [
      ["rejected 422 /problems/bad", 1],
      ["unsigned", partitions.length + 1],
    ]);
    // Whoever vouches for them sees what they say: everything before the marks is dropped.
    assert.deepEqual(await causes(vouching), [["rejected", 1]]);
  });

  await t.step("a replay of somebody else is a record like any other", async () => {
    await kafka.produce(retryTopic, [{ key: "k", value: "theirs", headers: forged(topic) }]);
    const seen = await until("its delivery", () => worker.requests.find(({ text }) => text === "theirs"));
    assert.match(seen.key, new RegExp(`^${retryTopic}/`));
    assert.notEqual(seen.headers["ackpool-timestamp"], "999999999999999");
    assert.equal(consumer.logged("records that no secret proves").length, 1);
    const verbose = await (await fetch(`${consumer.adminUrl}/readyz?verbose`)).text();
    assert.match(verbose, /unsigned: \S+\.retry has records that no secret proves/);
  });

  await t.step("without the secret nothing is shown or done that nobody would believe", async () => {
    await assert.rejects(causes(without), SecretMissing);
    await assert.rejects(without.drop({ filter: {}, max: undefined, dryRun: false }, signal), SecretMissing);
    await assert.rejects(without.replay(REPLAY, () => {}, signal), /set DEAD_LETTER_SECRET/);
  });

  await t.step("with the secret ours alone are replayed, as the records they were", async () => {
    const { replayed, foreign } = await ours.replay(REPLAY, () => {}, signal);
    assert.deepEqual([replayed, foreign], [1, 4]);
    const seen = await until("its delivery", () => worker.requests.filter(({ text }) => text === "mine")[1]);
    assert.match(seen.key, new RegExp(`^${topic}/`));
    await kafka.untilCommitted(retryTopic, scene.groupId);
    assert.deepEqual(await causes(ours), [["unsigned", 4]], "the mark of the replay is signed");
  });
});
