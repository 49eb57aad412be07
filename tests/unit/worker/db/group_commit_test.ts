// Tests of the worker's group commit.

import assert from "node:assert/strict";
import { GroupCommit } from "../../../../worker/db/group_commit.ts";

Deno.test("GroupCommit.add() puts what arrives together into one group, in order", async () => {
  const groups: (readonly number[])[] = [];
  const commits = new GroupCommit<number, number>(
    (items) => {
      groups.push(items);
      return Promise.resolve(items.map((item) => item * 10));
    },
    String,
    { itemsMax: 10, lingerMs: 0 },
  );
  assert.deepEqual(await Promise.all([1, 2, 3].map((item) => commits.add(item))), [10, 20, 30]);
  assert.deepEqual(groups, [[1, 2, 3]]);
});

Deno.test("GroupCommit.add() collects the next group while one runs", async () => {
  const groups: (readonly number[])[] = [];
  const first = Promise.withResolvers<void>();
  const started = Promise.withResolvers<void>();
  const commits = new GroupCommit<number, number>(
    async (items) => {
      groups.push(items);
      started.resolve();
      if (groups.length === 1) await first.promise;
      return items;
    },
    String,
    { itemsMax: 10, lingerMs: 0 },
  );
  const one = commits.add(1);
  await started.promise;
  const others = Promise.all([commits.add(2), commits.add(3)]);
  first.resolve();
  assert.deepEqual([await one, ...await others], [1, 2, 3]);
  assert.deepEqual(groups, [[1], [2, 3]]);
});

Deno.test("GroupCommit.add() keeps equal keys and more than itemsMax out of one group", async () => {
  const groups: (readonly string[])[] = [];
  const commits = new GroupCommit<string, string>(
    (items) => {
      groups.push(items);
      return Promise.resolve(items);
    },
    (item) => item.slice(0, 1),
    { itemsMax: 2, lingerMs: 0 },
  );
  await Promise.all(["a1", "a2", "b1", "c1"].map((item) => commits.add(item)));
  assert.deepEqual(groups, [["a1", "b1"], ["a2", "c1"]]);
});

Deno.test("GroupCommit.add() rejects everybody in a group that fails and goes on with the next", async () => {
  let runs = 0;
  const commits = new GroupCommit<number, number>(
    (items) => {
      return ++runs === 1 ? Promise.reject(new Error("away")) : Promise.resolve(items);
    },
    String,
    { itemsMax: 10, lingerMs: 0 },
  );
  const settled = await Promise.allSettled([commits.add(1), commits.add(2)]);
  assert.deepEqual(settled.map(({ status }) => status), ["rejected", "rejected"]);
  assert.equal(await commits.add(3), 3);
});
