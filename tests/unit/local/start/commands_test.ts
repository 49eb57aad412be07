import assert from "node:assert/strict";
import {
  consumerCommand,
  ingressCommand,
  isWork,
  reachedAt,
  workerCommand,
} from "../../../../local/start/commands.ts";

const ADDRESSES = {
  brokers: "127.0.0.1:9092",
  databaseUrl: "postgres://postgres@127.0.0.1:5432/postgres",
  modelUrl: undefined,
  dnsServer: "127.0.0.1:5353",
  host: "192.0.2.7",
};

Deno.test("consumer and ingress find the replicas by their name, and listen where they are told", () => {
  for (const { env } of [consumerCommand(ADDRESSES), ingressCommand(ADDRESSES)]) {
    assert.equal(env["WORKER_URL"], "dns+srv://_worker._tcp.ackpool.internal");
    assert.equal(env["WORKER_DNS_SERVER"], ADDRESSES.dnsServer);
    assert.equal(env["LISTEN_ADDRESS"], ADDRESSES.host);
  }
});

Deno.test("a replica takes a free port that only this machine reaches", () => {
  const { name, env } = workerCommand(3, ADDRESSES);
  assert.deepEqual([name, env["LISTEN_ADDRESS"], env["PORT"]], ["worker 3", "127.0.0.1", "0"]);
});

Deno.test("reachedAt() is an address that this machine has, as a URL writes it", () => {
  assert.deepEqual(["0.0.0.0", "::", "127.0.0.1", "192.0.2.7", "fd00::1"].map(reachedAt), [
    "127.0.0.1",
    "127.0.0.1",
    "127.0.0.1",
    "192.0.2.7",
    "[fd00::1]",
  ]);
});

Deno.test("isWork() is what a worker says of a request, and nothing else", () => {
  const said = (message: string) => ({ kind: "event", level: "info", message, properties: {} }) as const;
  assert.equal(isWork("worker 1", said("classified")), true);
  assert.equal(isWork("worker 1", said("listening")), false);
  assert.equal(isWork("consumer", said("retrying")), false);
  assert.equal(isWork("worker 1", { kind: "text", text: "Download" }), false);
});
