// Records whose attempts fail: the status contract end to end, poison distinguished from outage.

import assert from "node:assert/strict";
import { Scene, values } from "../support/processes/consumer_process.ts";
import { problem, type SeenRequest, StubWorker } from "../support/workers/stub_worker.ts";
import { TestKafka } from "../support/kafka/test_kafka.ts";
import { until } from "../support/until.ts";

Deno.test("the consumer, when attempts fail,", async (t) => {
  await using kafka = await TestKafka.start();

  await t.step("dead-letters a 422 as it was, with where it came from and why", async () => {
    const scene = await Scene.in(kafka);
    const type = "https://example.org/problems/unclassifiable";
    await using worker = new StubWorker(({ text }) => text === "good" ? 200 : problem(422, type));
    const bytes = Uint8Array.of(0xff, 0x00, 0xfe);
    await kafka.produce(scene.topic, [
      { partition: 1, value: "good" },
      {
        partition: 1,
        key: "k",
        value: Buffer.from(bytes),
        timestamp: "1700000000123",
        headers: { mine: "y" },
      },
      { partition: 1, value: "good" },
    ]);
    await using consumer = scene.consumer([worker]);
    await scene.untilCommitted();
    const [letter, ...others] = await kafka.read(scene.deadLetterTopic);
    assert.deepEqual(others, []);
    assert.equal(String(letter?.key), "k");
    assert.deepEqual(new Uint8Array(letter?.value ?? []), bytes);
    // Its own timestamp: with the origin's, Kafka's retention might delete it at once.
    assert.ok(Math.abs(Number(letter?.timestamp) - Date.now()) < 60_000, `written at ${letter?.timestamp}`);
    const { "ackpool-problem": said, "ackpool-dead-lettered-at": at, ...headers } = letter?.headers ?? {};
    assert.deepEqual(headers, {
      mine: "y",
      "ackpool-origin-topic": scene.topic,
      "ackpool-origin-partition": "1",
      "ackpool-origin-offset": "1",
      "ackpool-origin-timestamp": "1700000000123",
      "ackpool-status": "422",
      "ackpool-reason": "rejected",
      "ackpool-attempts": "1",
      "ackpool-attempts-counted": "0",
      "ackpool-replays": "0",
    });
    assert.equal(JSON.parse(said ?? "").type, type);
    assert.ok(Math.abs(Date.parse(at ?? "") - Date.now()) < 60_000, `dead-lettered at ${at}`);
    assert.equal(await consumer.stop(), 0);
  });

  await t.step(
    "takes a record that always fails among healthy ones for poison after MAX_ATTEMPTS",
    async () => {
      const scene = await Scene.in(kafka);
      await using worker = new StubWorker(({ text }) => text === "poison" ? 500 : 200);
      await scene.produce([...values(20), "poison", ...values(20, "w")]);
      await using _consumer = scene.consumer([worker], { MAX_ATTEMPTS: "3" });
      await scene.untilCommitted();
      assert.deepEqual((await kafka.read(scene.deadLetterTopic)).map(({ key }) => String(key)), ["poison"]);
      const attempts = worker.requests.filter(({ text }) => text === "poison").map(({ attempt }) => attempt);
      assert.deepEqual(attempts, [1, 2, 3]);
    },
  );

  await t.step(
    "takes failures of all for an outage: pauses, dead-letters nothing, heals by itself",
    async () => {
      const scene = await Scene.in(kafka);
      await using worker = new StubWorker(() => 500);
      await scene.produce(values(40));
      await using consumer = scene.consumer([worker], { MAX_ATTEMPTS: "3" });
      const ready = await consumer.untilCause("outage");
      assert.equal(ready.status, 503);
      assert.match(ready.details, /500/);
      assert.equal((await fetch(`${consumer.adminUrl}/livez`)).status, 200);
      const paused = worker.requests.length;
      await until("two probes", () => worker.requests.length >= paused + 2);
      worker.script = () => 200;
      await scene.untilCommitted();
      await consumer.untilReady();
      assert.deepEqual(await kafka.read(scene.deadLetterTopic), []);
      assert.equal(consumer.logged("dead-lettered").length, 0);
    },
  );

  await t.step("takes 401, 404 and redirects for a misconfiguration and heals when it is gone", async () => {
    await Promise.all([401, 404, 302].map((status) => misconfigured(kafka, status)));
  });

  await t.step("dead-letters a ticket that cannot be found after MAX_ATTEMPTS", async () => {
    const scene = await Scene.in(kafka);
    await using worker = new StubWorker(({ text }) =>
      text === "missing" ? problem(404, "/problems/ticket-not-found") : 200
    );
    await scene.produce(["missing", "late"]);
    await using _consumer = scene.consumer([worker], { MAX_ATTEMPTS: "3" });
    await scene.untilCommitted();
    const [letter] = await kafka.read(scene.deadLetterTopic);
    assert.equal(String(letter?.key), "missing");
    assert.equal(letter?.headers["ackpool-reason"], "ticket-not-found");
    assert.equal(letter?.headers["ackpool-attempts"], "3");
  });

  await t.step("waits for Retry-After on 409, 425, 429 and 503 without counting an attempt", async () => {
    const scene = await Scene.in(kafka);
    const statuses: Readonly<Record<string, number>> = { a: 409, b: 425, c: 429, d: 503 };
    const refused = ({ text, attempt }: SeenRequest) =>
      attempt <= 3
        ? new Response(null, { status: statuses[text] ?? 500, headers: { "retry-after": "1" } })
        : 200;
    await using worker = new StubWorker(refused);
    await scene.produce(Object.keys(statuses));
    await using _consumer = scene.consumer([worker], { MAX_ATTEMPTS: "2" });
    await scene.untilCommitted(60_000);
    assert.deepEqual(await kafka.read(scene.deadLetterTopic), []);
    for (const text of ["a", "b", "c"]) {
      const times = worker.requests.filter((each) => each.text === text).map(({ atMs }) => atMs);
      assert.equal(times.length, 4);
      for (const [index, atMs] of times.slice(1).entries()) {
        assert.ok(
          atMs - (times[index] ?? 0) >= 980,
          `${text} came again after ${atMs - (times[index] ?? 0)} ms`,
        );
      }
    }
  });

  await t.step("gives a hanging worker up after WORKER_TIMEOUT_MS and tries again", async () => {
    const scene = await Scene.in(kafka);
    await using worker = new StubWorker(async ({ text, attempt }) => {
      if (text === "v5" && attempt === 1) await until("the next attempt", () => worker.deliveries.size >= 20);
      if (text === "v5" && attempt === 1) await until("a second attempt", () => second());
      return 200;
    });
    const second = () => worker.requests.some(({ text, attempt }) => text === "v5" && attempt === 2);
    await scene.produce(values(20));
    await using consumer = scene.consumer([worker], { WORKER_TIMEOUT_MS: "500" });
    await scene.untilCommitted();
    const [first, again] = worker.requests.filter(({ text }) => text === "v5");
    const waitedMs = (again?.atMs ?? 0) - (first?.atMs ?? 0);
    assert.ok(waitedMs >= 450 && waitedMs < 2000, `the second attempt came after ${waitedMs} ms`);
    assert.ok(consumer.logged("retrying").some(({ fields }) => fields["last"] === "timeout"));
  });

  await t.step("obeys Ackpool-Action whatever the status", async () => {
    const scene = await Scene.in(kafka);
    const actions: Readonly<Record<string, [number, string]>> = {
      settle: [500, "settle"],
      letter: [200, "dead-letter"],
      again: [200, "retry"],
    };
    await using worker = new StubWorker(({ text, attempt }) => {
      const [status, action] = actions[text] ?? [200, ""];
      if (attempt > 1 || action === "") return 200;
      return new Response(null, { status, headers: { "ackpool-action": action } });
    });
    await scene.produce([...values(10), ...Object.keys(actions)]);
    await using _consumer = scene.consumer([worker]);
    await scene.untilCommitted();
    const letters = await kafka.read(scene.deadLetterTopic);
    assert.deepEqual(letters.map(({ key, headers }) => [String(key), headers["ackpool-reason"]]), [
      ["letter", "asked-by-worker"],
    ]);
    const count = (text: string) => worker.requests.filter((each) => each.text === text).length;
    assert.deepEqual([count("settle"), count("letter"), count("again")], [1, 1, 2]);
  });
});

/** Every request is refused with this status until the consumer has said so; then all is well. */
async function misconfigured(kafka: TestKafka, status: number): Promise<void> {
  const scene = await Scene.in(kafka);
  const elsewhere = { location: "/elsewhere" };
  await using worker = new StubWorker(() => new Response(null, { status, headers: elsewhere }));
  await scene.produce(values(10));
  await using consumer = scene.consumer([worker], { MAX_ATTEMPTS: "2" });
  const { details } = await consumer.untilCause("misconfigured");
  assert.match(details, new RegExp(String(status)));
  worker.script = () => 200;
  await scene.untilCommitted();
  await consumer.untilReady();
  assert.ok(worker.requests.every(({ path }) => path === "/classify"), "a redirect was followed");
  assert.deepEqual(await kafka.read(scene.deadLetterTopic), []);
  assert.equal(consumer.logged("dead-lettered").length, 0);
}
