// Where records spent their time.

import assert from "node:assert/strict";
import { readServerTiming, TimeSpent } from "../../../../../consumer/page/memory/time_spent.ts";

Deno.test("TimeSpent.json() splits an attempt by what the worker says of it", () => {
  const spent = new TimeSpent();
  spent.record(250, 900, "llm;dur=800, db;dur=30.4, total;dur=850", 0);
  assert.deepEqual(spent.json(1000), {
    records: 1,
    waiting_ms: 250,
    network_ms: 50,
    worker_ms: 20,
    llm_ms: 800,
    database_ms: 30,
  });
  assert.equal(spent.json(60_000).records, 0);
});

Deno.test("TimeSpent.json() gives the worker all of an attempt that it says nothing about", () => {
  const spent = new TimeSpent();
  spent.record(0, 70, undefined, 0);
  const { worker_ms, network_ms, llm_ms } = spent.json(0);
  assert.deepEqual([worker_ms, network_ms, llm_ms], [70, 0, 0]);
});

Deno.test("TimeSpent.record() looks at ten attempts a second, however many there are", () => {
  const spent = new TimeSpent();
  for (let ms = 0; ms < 10_000; ms++) spent.record(0, 1, undefined, ms);
  assert.equal(spent.json(10_000).records, 100);
});

Deno.test("readServerTiming() leaves out what is not understood", () => {
  assert.deepEqual(readServerTiming('cache;desc="a", llm;dur=1.5;desc=x, db;dur=x, total;dur=2'), {
    llm: 1.5,
    total: 2,
  });
  assert.deepEqual(readServerTiming(undefined), {});
});
