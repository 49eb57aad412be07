// What operators set reaches every consumer of a group and is not lost, whatever happens to one of them or to Kafka.

import assert from "node:assert/strict";
import type { Flow } from "../../../../consumer/core/policies/flow.ts";
import { FlowControl } from "../../../../consumer/flow/flow_control.ts";
import type { FlowStore, StoredFlow } from "../../../../consumer/flow/flow_store.ts";
import { NotKept, NotRead } from "../../../../consumer/flow/refusals.ts";
import { Driver } from "../core/fixtures.ts";

const ANN = { by: "ann", from: "10.0.0.7" };
const DAY_MS = Date.parse("2026-11-28T10:00:00Z");

/** Kafka, as far as it keeps notes; by topic. */
class SharedStore {
  readonly kept: Map<string, StoredFlow> = new Map();
  refuse: Error | undefined;

  get port(): FlowStore {
    return {
      read: (topics) => {
        const notes = topics.map((topic) => this.kept.get(topic));
        const newest = notes.reduce((a, b) => (b?.version ?? 0) > (a?.version ?? 0) ? b : a, undefined);
        const complete = notes.every((each) => each?.version === newest?.version);
        return this.#answer({ newest, complete });
      },
      write: (topics, stored) => {
        if (this.refuse === undefined) { for (const topic of topics) this.kept.set(topic, stored); }
        return this.#answer(undefined);
      },
      close: () => Promise.resolve(),
    };
  }

  #answer<T>(value: T): Promise<T> {
    return this.refuse === undefined ? Promise.resolve(value) : Promise.reject(this.refuse);
  }
}

function consumer(store: SharedStore, ratePerSecond?: number) {
  const applied: Flow[] = [];
  const { view } = new Driver().assign({}, { partition: 1 }).machine;
  const clock = { nowMs: 5000 };
  const control = new FlowControl({
    store: store.port,
    topics: () => ["t", "t.g.retry"],
    countPartitions: (topic) => Promise.resolve(topic === "t" ? 4 : 2),
    apply: (flow) => applied.push(flow),
    view: () => view,
    ratePerSecond,
    nowMs: () => clock.nowMs,
    dayMs: () => DAY_MS + clock.nowMs,
  });
  const first = () => control.first(() => {}, new AbortController().signal);
  return { control, applied, first, clock };
}

Deno.test("FlowControl.first() hands over what is kept before anything is sent", async () => {
  const store = new SharedStore();
  const { control } = consumer(store);
  await control.pause({ topic: "t" }, ANN);
  await control.setRate(50, ANN);
  const later = consumer(store);
  await later.first();
  const expected = {
    holds: [{ topic: "t", partition: undefined }],
    ratePerSecond: 50,
    permitsMax: undefined,
    partitions: 6,
  };
  assert.deepEqual(later.applied.at(-1), expected);
  assert.equal(later.control.now().version, 2);
  assert.deepEqual(later.control.now().here.ofPartitions, 6);
});

Deno.test("FlowControl says who paused what, and since when, as long as it lasts", async () => {
  const { control, clock } = consumer(new SharedStore());
  assert.deepEqual(control.causes(), []);
  await control.pause({ topic: "t", partition: 3 }, ANN);
  clock.nowMs += 60_000;
  const [cause] = control.causes();
  assert.equal(cause?.name, "paused");
  assert.equal(cause?.sinceMs, 5000);
  assert.match(cause?.detail ?? "", /^Paused by an operator: t\/3 by ann from 10\.0\.0\.7 since 2026-/);
  await control.resume({}, ANN);
  assert.deepEqual(control.causes(), []);
});

Deno.test("FlowControl begins with RATE_LIMIT, and goes back to it", async () => {
  const { control, applied, first } = consumer(new SharedStore(), 20);
  await first();
  assert.deepEqual([applied.at(-1)?.ratePerSecond, applied.at(-1)?.partitions], [20, 6]);
  await control.setRate(5, ANN);
  assert.equal(applied.at(-1)?.ratePerSecond, 5);
  assert.deepEqual(control.now().rate.setBy?.by, "ann");
  await control.setRate(null, ANN);
  assert.deepEqual(control.now().rate, { recordsPerSecond: 20, setBy: null });
  await control.setPool(12, ANN);
  assert.equal(applied.at(-1)?.permitsMax, 12);
});

Deno.test("FlowControl writes again what Kafka has forgotten, for all topics or for one", async () => {
  const store = new SharedStore();
  const { control } = consumer(store);
  await control.pause({ topic: "t" }, ANN);
  const kept = store.kept.get("t");
  store.kept.clear();
  await control.resume({ topic: "u" }, ANN);
  assert.deepEqual(store.kept.get("t")?.text, kept?.text, "the pause is there again");
  store.kept.delete("t.g.retry");
  await control.resume({ topic: "u" }, ANN);
  assert.deepEqual(store.kept.get("t.g.retry")?.text, kept?.text);
});

Deno.test("FlowControl of two consumers: each begins with what the other one left", async () => {
  const store = new SharedStore();
  const [a, b] = [consumer(store), consumer(store)];
  await Promise.all([a.control.pause({ topic: "t", partition: 0 }, ANN), a.control.setPool(3, ANN)]);
  await b.control.pause({ topic: "t", partition: 1 }, ANN);
  await a.control.setRate(7, ANN);
  const { pauses, version, rate, pool } = a.control.now();
  assert.deepEqual(pauses.map(({ partition }) => partition), [0, 1]);
  assert.deepEqual([version, rate.recordsPerSecond, pool.permits], [4, 7, 3]);
});

Deno.test("FlowControl changes nothing that Kafka does not keep, and what is not read", async () => {
  const store = new SharedStore();
  const { control, applied } = consumer(store);
  await assert.rejects(control.pause({ topic: "nobody" }, ANN), NotRead);
  await assert.rejects(control.pause({ topic: "t", partition: 4 }, ANN), NotRead);
  store.refuse = new Error("no broker");
  await assert.rejects(control.pause({}, ANN), NotKept);
  assert.equal(control.now().notKept, "no broker");
  assert.deepEqual(applied, []);
});

Deno.test("FlowControl.first() waits for Kafka, but not for a right that is missing", async () => {
  const store = new SharedStore();
  store.refuse = Object.assign(new Error("We have no right to commit"), { name: "Forbidden" });
  const { control, applied, first } = consumer(store, 20);
  await first();
  assert.equal(control.now().notKept, "We have no right to commit");
  assert.deepEqual([applied.at(-1)?.ratePerSecond, applied.at(-1)?.partitions], [20, 6]);
  store.refuse = new Error("no coordinator");
  const stopping = new AbortController();
  const heard: string[] = [];
  const waiting = control.first((why) => {
    heard.push(why);
    stopping.abort();
  }, stopping.signal);
  await waiting;
  assert.deepEqual(heard, ["no coordinator"]);
});
