// A name of replicas on ports of their own, as `start` has it: what joins gets work, what leaves gets nothing new.

import assert from "node:assert/strict";
import { startDnsServer } from "../../local/embedded/dns/server.ts";
import { recordsOf, REPLICAS_URL } from "../../local/start/replicas/dns_records.ts";
import { Pool } from "../../shared/pool/pool.ts";
import { settle } from "../support/workers/pool_load.ts";
import { type Script, StubWorker } from "../support/workers/stub_worker.ts";
import { until } from "../support/until.ts";

const slowly: Script = async () => {
  await new Promise((resolve) => setTimeout(resolve, 20));
  return 200;
};

Deno.test("a pool follows the name of start's replicas, and what has left it gets nothing new", async () => {
  await using names = await startDnsServer();
  const [address = "", port] = names.address.split(":");
  const pool = new Pool({
    urls: [new URL(REPLICAS_URL)],
    dnsServer: { address, port: Number(port) },
    concurrency: 4,
    token: undefined,
    connectTimeoutMs: 500,
  });
  await pool.start();
  assert.equal(pool.permits, 0);

  await using first = new StubWorker(slowly);
  await using second = new StubWorker(slowly);
  const places = [first, second].map(({ port }, at) => ({ number: at + 1, port }));
  const name = (numbers: readonly number[]) =>
    names.set(places.filter(({ number }) => numbers.includes(number)).flatMap(recordsOf));
  name([1]);
  await until("the first replica", () => pool.permits > 0, { everyMs: 10 });

  let outcomes = 0;
  let over = false;
  const load = (async () => {
    while (!over) {
      const { posts } = await settle(pool, 20);
      outcomes += posts;
    }
  })();
  name([1, 2]);
  await until("work for the one that joined", () => second.requests.length > 20);
  name([2]);
  await until("nothing new for the one that left", async () => {
    const [left, stayed] = [first.requests.length, second.requests.length];
    await until("more work", () => second.requests.length > stayed + 100);
    return first.requests.length === left;
  });
  const left = first.requests.length;
  await until("much more work", () => second.requests.length > 1000, { timeoutMs: 60_000 });
  assert.equal(first.requests.length, left);
  over = true;
  await load;
  assert.equal(outcomes, first.requests.length + second.requests.length, "every attempt was answered once");

  name([]);
  await until("an empty pool", () => pool.permits === 0);
  await pool.close();
});
