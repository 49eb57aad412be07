import assert from "node:assert/strict";
import { Commits } from "../../../../consumer/core/commits.ts";
import type { Partition } from "../../../../consumer/core/partition.ts";
import {
  type CommitMode,
  type DeliveryMode,
  policyFor,
} from "../../../../consumer/core/policies/delivery_mode.ts";
import { deliveryOf, type Name, partitionOf } from "./fixtures.ts";

function commitsOf(mode: DeliveryMode = "parallel", commit: CommitMode = "async"): Commits<Name> {
  return new Commits(policyFor(mode, commit), 1000, 4096);
}

function settleOne(home: Partition<Name>) {
  const delivery = deliveryOf(home);
  home.ledger.settle(delivery.entry);
  return delivery;
}

Deno.test("Commits.dueMs is one interval after the last commit, and nothing is due while one is on its way", () => {
  const commits = commitsOf();
  const home = partitionOf();
  settleOne(home);
  commits.markDirty(home, 100);
  assert.equal(commits.dueMs, 100);
  const first = commits.nextCommit(false, 100);
  settleOne(home);
  commits.markDirty(home, 200);
  assert.equal(commits.dueMs, undefined);
  commits.finished(first?.id ?? -1, true, 300);
  assert.equal(commits.dueMs, 1100);
});

Deno.test("Commits.nextCommit() says nothing twice", () => {
  const commits = commitsOf();
  const home = partitionOf();
  settleOne(home);
  commits.markDirty(home, 0);
  const { id = -1 } = commits.nextCommit(false, 0) ?? {};
  commits.finished(id, true, 1);
  commits.markDirty(home, 2);
  assert.equal(commits.nextCommit(false, 2), undefined);
  assert.equal(commits.allConfirmed, true);
});

Deno.test("Commits.nextCommit() commits a map that has changed while the watermark stays", () => {
  const commits = commitsOf();
  const home = partitionOf();
  deliveryOf(home);
  settleOne(home);
  commits.markDirty(home, 0);
  const [line] = commits.nextCommit(false, 0)?.marks ?? [];
  assert.equal(line?.mark.offset, 0);
  assert.notEqual(line?.mark.metadata, "");
});

Deno.test("Commits tries again half a second after a refusal, however much it is hurried", () => {
  const commits = commitsOf("parallel", "sync");
  const home = partitionOf();
  settleOne(home);
  commits.markDirty(home, 0);
  const { id = -1 } = commits.nextCommit(false, 0) ?? {};
  commits.finished(id, false, 10);
  assert.equal(commits.failingSinceMs, 10);
  commits.flushSoon(20);
  commits.markDirty(home, 20);
  assert.equal(commits.dueMs, 510);
  assert.equal(commits.nextCommit(false, 510)?.marks.length, 1);
});

Deno.test("Commits.finished() lets go of held records when the broker has confirmed, and not before", () => {
  const commits = commitsOf("parallel", "sync");
  const home = partitionOf();
  const delivery = settleOne(home);
  commits.markDirty(home, 0);
  commits.holdUntilCommitted(delivery);
  const refused = commits.nextCommit(false, 0)?.id ?? -1;
  assert.deepEqual(commits.finished(refused, false, 1), []);
  const confirmed = commits.nextCommit(false, 501)?.id ?? -1;
  assert.deepEqual(commits.finished(confirmed, true, 502), [delivery]);
});

Deno.test("Commits.forget() lets go of what a lost partition held, and never commits it", () => {
  const commits = commitsOf("parallel", "sync");
  const home = partitionOf();
  const delivery = settleOne(home);
  commits.markDirty(home, 0);
  commits.holdUntilCommitted(delivery);
  assert.deepEqual(commits.forget(home), [delivery]);
  assert.equal(commits.nextCommit(false, 0), undefined);
});

Deno.test("Commits.nextCommit() in fast mode commits what was received, and only what is settled when leaving", () => {
  const commits = commitsOf("fast");
  const home = partitionOf();
  deliveryOf(home);
  commits.markDirty(home, 0);
  const early = commits.nextCommit(false, 0);
  assert.equal(early?.marks[0]?.mark.offset, 1);
  // Even while the first one is on its way: nobody knows whether it arrives.
  commits.markDirty(home, 1);
  assert.equal(commits.nextCommit(true, 1)?.marks[0]?.mark.offset, 0);
});

Deno.test("Commits says it again when a refusal may hide that the broker took it", () => {
  const commits = commitsOf("fast");
  const home = partitionOf();
  deliveryOf(home);
  commits.markDirty(home, 0);
  commits.finished(commits.nextCommit(false, 0)?.id ?? -1, false, 10);
  assert.equal(commits.nextCommit(true, 600)?.marks[0]?.mark.offset, 0);
});

Deno.test("Commits says it again when an older commit is confirmed after a newer one", () => {
  const commits = commitsOf();
  const home = partitionOf();
  settleOne(home);
  commits.markDirty(home, 0);
  const older = commits.nextCommit(false, 0)?.id ?? -1;
  settleOne(home);
  commits.markDirty(home, 1);
  const newer = commits.nextCommit(false, 1)?.id ?? -1;
  commits.finished(newer, true, 2);
  assert.equal(commits.allConfirmed, false);
  commits.finished(older, true, 3);
  assert.equal(commits.dueMs, 3);
  assert.equal(commits.nextCommit(false, 3)?.marks[0]?.mark.offset, 2);
});

Deno.test("Commits.failingSinceMs ends with the partition whose commit was refused", () => {
  const commits = commitsOf();
  const [home, other] = [partitionOf(), partitionOf()];
  for (const each of [home, other]) {
    settleOne(each);
    commits.markDirty(each, 0);
  }
  commits.finished(commits.nextCommit(false, 0)?.id ?? -1, false, 10);
  assert.equal(commits.failingSinceMs, 10);
  commits.forget(home);
  assert.equal(commits.failingSinceMs, 10);
  const pending = commits.nextCommit(false, 600);
  commits.forget(other);
  assert.equal(commits.failingSinceMs, 10);
  other.revoked = true;
  commits.finished(pending?.id ?? -1, false, 700);
  assert.equal(commits.failingSinceMs, undefined);
});

Deno.test("Commits.finished() confirms what was taken beside what was refused, and commits only that again", () => {
  const commits = commitsOf();
  const [taken, refused] = [partitionOf(), partitionOf(1)];
  for (const home of [taken, refused]) {
    settleOne(home);
    commits.markDirty(home, 0);
  }
  const { id = -1, marks = [] } = commits.nextCommit(false, 0) ?? {};
  commits.finished(id, true, 10, marks.filter(({ partition }) => partition === refused));
  assert.equal(commits.failingSinceMs, 10);
  const again = commits.nextCommit(false, 510);
  assert.deepEqual(again?.marks.map(({ partition }) => partition.id), [refused.id]);
  commits.finished(again?.id ?? -1, true, 520);
  assert.equal(commits.failingSinceMs, undefined);
  assert.equal(commits.allConfirmed, true);
});
