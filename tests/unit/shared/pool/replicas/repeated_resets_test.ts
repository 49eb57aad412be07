import assert from "node:assert/strict";
import { Balancer } from "../../../../../shared/pool/replicas/balancer.ts";
import { RepeatedResets } from "../../../../../shared/pool/replicas/repeated_resets.ts";
import { stream } from "../../../../simulation/random.ts";

const RESET = { kind: "reset", detail: "ECONNRESET" } as const;
const OK = { kind: "answer", status: 200 } as const;

Deno.test("RepeatedResets knows a record by its second reset in a row", () => {
  const resets = new RepeatedResets();
  assert.deepEqual([1, 2, 3].map(() => resets.record("a", true)), [false, true, true]);
  assert.equal(resets.record("b", true), false);
  resets.record("a", false);
  assert.equal(resets.record("a", true), false);
  assert.deepEqual([1, 2, 3].map(() => resets.record(undefined, true)), [false, false, false]);
});

Deno.test("RepeatedResets forgets the oldest of a thousand records", () => {
  const resets = new RepeatedResets();
  for (let each = 0; each <= 1000; each++) resets.record(String(each), true);
  assert.deepEqual([resets.record("0", true), resets.record("1000", true)], [false, true]);
});

/** Sends attempts of records `keys` in turn, all of which are reset, to ten replicas; returns how many are ejected. */
function ejectedBy(keys: readonly string[], attempts: number): number {
  const balancer = new Balancer(8, stream(1));
  balancer.setAddresses(Array.from({ length: 10 }, (_, index) => String(index)), 0);
  for (let each = 0; each < attempts; each++) {
    const key = keys[each % keys.length];
    const replica = balancer.pick(each);
    if (replica === undefined) break;
    balancer.recordFinished(balancer.start(replica, each, key), RESET, each);
  }
  return balancer.replicas.filter(({ ejected }) => ejected).length;
}

Deno.test("Balancer ejects no replica for what one record meets everywhere, and each that resets whoever comes", () => {
  assert.equal(ejectedBy(["poison"], 200), 0);
  assert.equal(ejectedBy(["poison", "venom"], 200), 0);
  assert.equal(ejectedBy(Array.from({ length: 200 }, (_, index) => String(index)), 200), 10);
});

Deno.test("Balancer ejects a replica that resets by records that fared well elsewhere", () => {
  const balancer = new Balancer(8, stream(1));
  balancer.setAddresses(["sick", "well"], 0);
  const at = (address: string) => balancer.replicas.find((replica) => replica.address === address);
  const [sick, well] = [at("sick"), at("well")];
  assert.ok(sick !== undefined && well !== undefined);
  for (const key of ["a", "b", "c"]) {
    balancer.recordFinished(balancer.start(sick, 0, key), RESET, 1);
    balancer.recordFinished(balancer.start(well, 1, key), OK, 2);
  }
  assert.deepEqual([sick.ejection, well.ejection], ["failures-in-a-row", undefined]);
});
