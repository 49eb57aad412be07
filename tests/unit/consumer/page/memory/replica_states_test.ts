// Since when replicas are as they are.

import assert from "node:assert/strict";
import { ReplicaStates } from "../../../../../consumer/page/memory/replica_states.ts";
import { Replica } from "../../../../../shared/pool/replicas/replica.ts";

Deno.test("ReplicaStates.sinceMs() is when a replica began to be as it is, not when it was last looked at", () => {
  const states = new ReplicaStates();
  const replica = new Replica("http://10.0.0.1", 8);
  assert.equal(states.sinceMs(replica.address), undefined);
  states.look([replica], 1000);
  states.look([replica], 2000);
  assert.equal(states.sinceMs(replica.address), 1000);
  replica.setDraining(true, 2500);
  states.look([replica], 3000);
  states.look([replica], 4000);
  assert.equal(states.sinceMs(replica.address), 3000);
  states.look([], 5000);
  assert.equal(states.sinceMs(replica.address), undefined);
});
