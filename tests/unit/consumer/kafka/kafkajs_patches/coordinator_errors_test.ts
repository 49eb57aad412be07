import assert from "node:assert/strict";
import BrokerPool from "kafkajs/src/cluster/brokerPool.js";
import { patchCoordinatorErrors } from "../../../../../consumer/kafka/kafkajs_patches/coordinator_errors.ts";

interface Pool {
  withBroker(callback: () => Promise<string>): Promise<string | null>;
}

/** A pool of two brokers, asked one after the other; those that are down cannot be connected to. */
function pool(down: readonly string[] = []): Pool {
  patchCoordinatorErrors();
  patchCoordinatorErrors();
  return Object.assign(Object.create((BrokerPool as { prototype: object }).prototype), {
    brokers: { 1: { isConnected: () => true }, 2: { isConnected: () => false } },
    findBroker: ({ nodeId }: { readonly nodeId: string }) =>
      down.includes(nodeId) ? Promise.reject(new Error(`${nodeId} is down`)) : Promise.resolve({}),
  });
}

const saying = (type: string) => () => Promise.reject(Object.assign(new Error(type), { type }));

Deno.test("patchCoordinatorErrors() has a refusal thrown that all brokers gave", async () => {
  await assert.rejects(pool().withBroker(saying("GROUP_AUTHORIZATION_FAILED")), /GROUP_AUTHORIZATION_FAILED/);
});

Deno.test("patchCoordinatorErrors() leaves other answers as they are: the next broker is asked, or there is none", async () => {
  const answers = [saying("GROUP_AUTHORIZATION_FAILED"), () => Promise.resolve("found")];
  assert.equal(await pool().withBroker(() => answers.shift()?.() ?? Promise.resolve("none")), "found");
  assert.equal(await pool().withBroker(saying("COORDINATOR_LOAD_IN_PROGRESS")), null);
});

Deno.test("patchCoordinatorErrors() passes over brokers that are down, and says so where all are", async () => {
  for (const down of ["1", "2"]) {
    assert.equal(await pool([down]).withBroker(() => Promise.resolve("found")), "found");
  }
  await assert.rejects(pool(["1", "2"]).withBroker(() => assert.fail("asked")), /is down/);
});
