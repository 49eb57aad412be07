import assert from "node:assert/strict";
import { OwnedPartitions } from "../../../../../consumer/kafka/group/owned_partitions.ts";

const at = (partition: number) => ({ topic: "t", partition });
const from = (partition: number, offset: number) => ({ ...at(partition), offset });

/** Joined once as `m` with partitions 0 and 1. */
function joined(): OwnedPartitions {
  const holdings = new OwnedPartitions();
  holdings.joining();
  holdings.joined("m", [at(0), at(1)]);
  holdings.take([from(0, 10), from(1, 20)]);
  return holdings;
}

const numbers = (all: readonly { partition: number }[]) => all.map(({ partition }) => partition);

Deno.test("OwnedPartitions.joined() keeps what the same member had, with epoch and position", () => {
  const holdings = joined();
  holdings.advance(at(1), 25);
  holdings.joining();
  const { kept, lost, gained } = holdings.joined("m", [at(1), at(2)]);
  assert.deepEqual(kept, [{ ...at(1), epoch: 1, position: 25 }]);
  assert.deepEqual([numbers(lost), numbers(gained)], [[0], [2]]);
  assert.equal(holdings.take([from(2, 0)]), 2);
  assert.equal(holdings.find(at(1))?.epoch, 1);
});

Deno.test("OwnedPartitions.joined() keeps nothing under another member id: others may have had it meanwhile", () => {
  const holdings = joined();
  holdings.joining();
  const { kept, lost, gained } = holdings.joined("n", [at(0), at(1)]);
  assert.deepEqual([numbers(kept), numbers(lost), numbers(gained)], [[], [0, 1], [0, 1]]);
});

Deno.test("OwnedPartitions.joined() keeps nothing after two requests to join: a generation may have passed unheard", () => {
  const holdings = joined();
  holdings.joining();
  holdings.joining();
  assert.deepEqual(numbers(holdings.joined("m", [at(0), at(1)]).gained), [0, 1]);
  holdings.take([from(0, 0), from(1, 0)]);
  holdings.joining();
  assert.deepEqual(numbers(holdings.joined("m", [at(0), at(1)]).kept), [0, 1]);
});

Deno.test("OwnedPartitions.joined() counts as gained what it was given before but never took", () => {
  const holdings = new OwnedPartitions();
  holdings.joined("m", [at(0)]);
  holdings.joining();
  assert.deepEqual(numbers(holdings.joined("m", [at(0)]).gained), [0]);
});

Deno.test("OwnedPartitions.clear() ends everything: the next join keeps nothing", () => {
  const holdings = joined();
  assert.deepEqual(numbers(holdings.clear()), [0, 1]);
  holdings.joining();
  assert.deepEqual(numbers(holdings.joined("m", [at(0)]).gained), [0]);
});

Deno.test("OwnedPartitions.generation grows with every join and follows the heartbeats", () => {
  const holdings = joined();
  assert.equal(holdings.generation, 1);
  holdings.heartbeat(41);
  holdings.joined("m", []);
  assert.equal(holdings.generation, 42);
});

Deno.test("OwnedPartitions.advance() passes over a partition that is not held", () => {
  const holdings = joined();
  holdings.advance(at(7), 5);
  assert.equal(holdings.find(at(7)), undefined);
});
