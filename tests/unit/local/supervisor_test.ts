// The replicas' places.

import assert from "node:assert/strict";
import { type ReplicaPlace, Supervisor } from "../../../local/supervisor.ts";

function setUp(failing = 0) {
  const log: string[] = [];
  const keep = ({ number, port }: ReplicaPlace) => ({
    start: () => {
      log.push(`start ${number} on ${port}`);
      return number === failing ? Promise.reject(new Error("did not start")) : Promise.resolve();
    },
    stop: (graceMs: number) => {
      log.push(`stop ${number} within ${graceMs}`);
      return Promise.resolve();
    },
    kill: () => void log.push(`kill ${number}`),
  });
  return { supervisor: new Supervisor([20001, 20002, 20003], keep), log };
}

Deno.test("Supervisor gives every replica a place with an address that never changes", async () => {
  const { supervisor, log } = setUp();
  assert.equal(supervisor.places[1]?.url, "http://127.0.0.1:20002");
  await supervisor.start(2);
  await supervisor.stop(2, 10);
  await supervisor.start(2);
  assert.deepEqual(log, ["start 2 on 20002", "stop 2 within 10", "start 2 on 20002"]);
  assert.deepEqual(supervisor.running, [2]);
});

Deno.test("Supervisor.start() does nothing for a replica that runs, and refuses one without a place", async () => {
  const { supervisor, log } = setUp();
  await Promise.all([supervisor.start(1), supervisor.start(1)]);
  assert.equal(log.length, 1);
  await assert.rejects(supervisor.start(4), /Replica has no place: current value is 4/);
});

Deno.test("Supervisor forgets a replica that did not start, so that it can be tried again", async () => {
  const { supervisor } = setUp(3);
  await assert.rejects(supervisor.start(3), /did not start/);
  assert.deepEqual(supervisor.running, []);
});

Deno.test("Supervisor.stopAll() stops each once, also when called twice", async () => {
  const { supervisor, log } = setUp();
  await supervisor.start(1);
  await supervisor.start(3);
  await Promise.all([supervisor.stopAll(7), supervisor.stopAll(7)]);
  assert.deepEqual(log.slice(2), ["stop 1 within 7", "stop 3 within 7"]);
});
