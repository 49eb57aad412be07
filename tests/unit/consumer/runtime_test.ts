import assert from "node:assert/strict";
import { parseConfig } from "../../../consumer/config.ts";
import type { Received } from "../../../consumer/core/delivery.ts";
import type { MachineConfig } from "../../../consumer/core/machine.ts";
import type { KafkaRecord } from "../../../consumer/records/record.ts";
import { ConsumerMetrics } from "../../../consumer/metrics/consumer_metrics.ts";
import { Runtime, type RuntimePorts } from "../../../consumer/runtime.ts";
import type { Answered } from "../../../shared/pool/exchange/buffered.ts";
import { until } from "../../support/until.ts";

const AT = { topic: "t", partition: 0 };
const SETTLED: Answered = { outcome: { kind: "answer", status: 200 }, headers: {} };

const { machine } = parseConfig((name) =>
  ({
    KAFKA_BROKERS: "b:1",
    WORKER_URL: "http://w",
    COMMIT_INTERVAL_MS: "10",
    RETRY_BACKOFF_MS: "1",
    SHUTDOWN_GRACE_MS: "2000",
  })[name]
);

/** A runtime over ports that all work, but for those given. */
function runtimeOver(ports: Partial<RuntimePorts> = {}, config: Partial<MachineConfig> = {}) {
  const committed: number[] = [];
  const sent: string[] = [];
  const runtime = new Runtime({ ...machine, ...config }, 1000, {
    pool: {
      permits: 4,
      onChange: () => {},
      send: ({ headers }) => {
        sent.push(headers["idempotency-key"] ?? "");
        return Promise.resolve(SETTLED);
      },
      checkReady: () => Promise.resolve(true),
      causes: () => [],
    },
    source: {
      pause: () => {},
      resume: () => {},
      commit: (marks) => {
        committed.push(...marks.map(({ mark }) => mark.offset));
        return Promise.resolve([]);
      },
    },
    deadLetters: { write: () => Promise.resolve({ offset: 0 }) },
    metrics: new ConsumerMetrics(),
    ...ports,
  });
  runtime.start();
  runtime.feed({ type: "assigned", epoch: 1, partitions: [{ ...AT, offset: 0, metadata: null }] });
  return { runtime, committed, sent };
}

function records(count: number): Received<KafkaRecord>[] {
  return Array.from({ length: count }, (_, offset) => ({
    offset,
    timestampMs: 0,
    bytes: 100,
    key: null,
    record: { ...AT, offset, timestampMs: 0, key: null, value: new Uint8Array(), headers: {} },
  }));
}

const received = (count: number) =>
  ({
    type: "received",
    epoch: 1,
    from: AT,
    records: records(count),
    position: count,
    highWatermark: count,
  }) as const;

Deno.test("Runtime sends what is received, commits what is settled, and ends clean when stopped", async () => {
  const { runtime, committed, sent } = runtimeOver();
  runtime.feed(received(20));
  await until("the commit", () => committed.at(-1) === 20);
  assert.equal(new Set(sent).size, 20);
  runtime.stop();
  assert.deepEqual(await runtime.ended, { clean: true, idle: false });
});

Deno.test("Runtime hands a replay to its sender with the headers that came with the record, any other as it is", async () => {
  const handed: KafkaRecord["headers"][] = [];
  const { runtime } = runtimeOver({
    pool: {
      permits: 4,
      onChange: () => {},
      send: (_, { headers }) => {
        handed.push(headers);
        return Promise.resolve(SETTLED);
      },
      checkReady: () => Promise.resolve(true),
      causes: () => [],
    },
  });
  const headers = { own: "x", "ackpool-carried-ackpool-mark": "dropped", "ackpool-replays": "1" };
  const origin = { topic: "t", partition: 0, offset: 9, timestampMs: 0, letter: undefined };
  const both = records(2).map((one, at) => ({
    ...one,
    record: { ...one.record, headers },
    ...(at === 0 ? { origin } : {}),
  }));
  runtime.feed({ ...received(2), records: both });
  await until("both", () => handed.length === 2);
  assert.deepEqual(handed, [{ own: "x", "ackpool-mark": "dropped" }, headers]);
  runtime.stop();
  await runtime.ended;
});

Deno.test("Runtime commits again what was refused", async () => {
  let refusals = 2;
  const committed: number[] = [];
  const { runtime } = runtimeOver({
    source: {
      pause: () => {},
      resume: () => {},
      commit: (marks) => {
        if (refusals-- > 0) return Promise.reject(new Error("REBALANCE_IN_PROGRESS"));
        committed.push(...marks.map(({ mark }) => mark.offset));
        return Promise.resolve([]);
      },
    },
  });
  runtime.feed(received(3));
  await until("the commit", () => committed.at(-1) === 3);
  runtime.stop();
  assert.equal((await runtime.ended).clean, true);
});

Deno.test("Runtime ends by itself when nothing comes", async () => {
  const { runtime } = runtimeOver({}, { idleExitMs: 30 });
  runtime.feed(received(1));
  assert.deepEqual(await runtime.ended, { clean: true, idle: true });
});

Deno.test("Runtime.feed() never throws: a bug rejects `ended`, and nothing is done after it", async () => {
  const { runtime, sent } = runtimeOver({
    source: {
      pause: () => {
        throw new TypeError("a bug");
      },
      resume: () => {},
      commit: () => Promise.resolve([]),
    },
  }, { bounds: { ...machine.bounds, records: 1 } });
  runtime.feed(received(200));
  await assert.rejects(runtime.ended, TypeError);
  const before = sent.length;
  runtime.feed({ type: "tick" });
  runtime.stop();
  assert.equal(sent.length, before);
});

Deno.test("Runtime takes a pool that throws for a bug, not for an outcome", async () => {
  const { runtime } = runtimeOver({
    pool: {
      permits: 1,
      onChange: () => {},
      send: () => Promise.reject(new RangeError("a bug")),
      checkReady: () => Promise.resolve(true),
      causes: () => [],
    },
  });
  runtime.feed(received(1));
  await assert.rejects(runtime.ended, RangeError);
});

Deno.test("Runtime.causes() takes replicas at zero for a trouble only while something is to be done", async () => {
  const causes = [{ name: "no-replica", sinceMs: 0, detail: "None runs", remedy: "Start one" }];
  const { runtime } = runtimeOver({
    pool: {
      permits: 0,
      onChange: () => {},
      send: () => Promise.resolve(SETTLED),
      checkReady: () => Promise.resolve(false),
      causes: () => causes,
    },
  });
  assert.deepEqual(runtime.causes(), []);
  const [record] = records(1);
  assert.ok(record);
  runtime.feed({ type: "received", epoch: 1, from: AT, records: [record], position: 1, highWatermark: 1 });
  assert.deepEqual(runtime.causes(), causes);
  runtime.stop();
  await runtime.ended;
});
