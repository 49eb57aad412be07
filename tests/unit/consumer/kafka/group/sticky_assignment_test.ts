import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type Assignment,
  assignPartitions,
  type GroupMember,
  type PartitionsByTopic,
} from "../../../../../consumer/kafka/group/sticky_assignment.ts";

const topics = (counts: Readonly<Record<string, number>>): PartitionsByTopic =>
  new Map(
    Object.entries(counts).map(([topic, count]) => [topic, Array.from({ length: count }, (_, n) => n)]),
  );

const member = (id: string, names: readonly string[], owned: string = "", generation = 1): GroupMember => ({
  id,
  topics: names,
  generation,
  owned: owned.split(" ").filter((at) => at !== "").map((at) => {
    const [topic = "", partition] = at.split("/");
    return { topic, partition: Number(partition) };
  }),
});

/** `topic/partition …` of each member. */
const shown = (assignment: Assignment): Record<string, string> =>
  Object.fromEntries(Array.from(assignment, ([id, all]) => [id, ids(all).join(" ")]));

const ids = (all: PartitionsByTopic): string[] =>
  Array.from(all).flatMap(([topic, numbers]) => numbers.map((number) => `${topic}/${number}`));

/** What each member was given, as its next claim. */
const after = (members: readonly GroupMember[], assignment: Assignment): GroupMember[] =>
  members.map(({ id, topics, generation }) =>
    member(id, topics, ids(assignment.get(id) ?? new Map()).join(" "), generation + 1)
  );

Deno.test("assignPartitions() deals out evenly where nobody has anything", () => {
  const members = [member("b", ["t"]), member("a", ["t"])];
  assert.deepEqual(shown(assignPartitions(members, topics({ t: 5 }))), { a: "t/0 t/1 t/2", b: "t/3 t/4" });
});

Deno.test("assignPartitions() takes from those who have too much what one who joins needs, and nothing else", () => {
  const members = [member("a", ["t"], "t/0 t/2 t/4"), member("b", ["t"], "t/1 t/3 t/5"), member("c", ["t"])];
  assert.deepEqual(shown(assignPartitions(members, topics({ t: 6 }))), {
    a: "t/0 t/2",
    b: "t/1 t/3",
    c: "t/4 t/5",
  });
});

Deno.test("assignPartitions() leaves the others what they have when one goes", () => {
  const members = [member("a", ["t"], "t/0 t/2"), member("c", ["t"], "t/4 t/5")];
  assert.deepEqual(shown(assignPartitions(members, topics({ t: 6 }))), {
    a: "t/0 t/1 t/2",
    c: "t/3 t/4 t/5",
  });
});

Deno.test("assignPartitions() balances each topic, so that nobody gets all of the busy one", () => {
  const names = ["busy", "quiet"];
  const members = [member("a", names), member("b", names)];
  const dealt = assignPartitions(members, topics({ busy: 4, quiet: 4 }));
  for (const all of dealt.values()) for (const name of names) assert.equal(all.get(name)?.length, 2);
});

Deno.test("assignPartitions() gives a topic only to those who subscribe to it, and nobody's to nobody", () => {
  const members = [member("a", ["t"]), member("b", ["t", "u"]), member("c", [])];
  assert.deepEqual(shown(assignPartitions(members, topics({ t: 2, u: 2, v: 3 }))), {
    a: "t/0",
    b: "t/1 u/0 u/1",
    c: "",
  });
});

Deno.test("assignPartitions() believes the claim of the later generation, then the smaller id", () => {
  const conflicting = [
    member("a", ["t"], "t/0 t/1", 3),
    member("b", ["t"], "t/0 t/1", 7),
    member("c", ["t"], "t/0 t/1", 7),
  ];
  assert.deepEqual(shown(assignPartitions(conflicting, topics({ t: 3 }))), { a: "t/1", b: "t/0", c: "t/2" });
});

Deno.test("assignPartitions() passes over claims of what does not exist or is not subscribed to", () => {
  const members = [member("a", ["t"], "t/9 gone/0 u/0"), member("b", ["t", "u"])];
  assert.deepEqual(shown(assignPartitions(members, topics({ t: 2, u: 1 }))), { a: "t/0", b: "t/1 u/0" });
});

const NAMES = ["t", "u", "v"];
const counts = fc.record({ t: fc.nat(12), u: fc.nat(12), v: fc.nat(5) });
const claims = fc.array(fc.record({ topic: fc.constantFrom(...NAMES, "gone"), partition: fc.nat(14) }), {
  maxLength: 20,
});
const group = (subscriptions: fc.Arbitrary<readonly string[]>) =>
  fc.uniqueArray(
    fc.record({
      id: fc.string({ minLength: 1, maxLength: 4 }),
      topics: subscriptions,
      generation: fc.nat(5),
      owned: claims,
    }),
    { minLength: 1, maxLength: 8, selector: ({ id }) => id },
  );
const alike = group(fc.constant(NAMES));
const mixed = group(fc.subarray(NAMES));

Deno.test("assignPartitions() gives every partition of a subscribed topic to exactly one subscriber", () => {
  fc.assert(fc.property(mixed, counts, (members, sizes) => {
    const dealt = assignPartitions(members, topics(sizes));
    assert.deepEqual([...dealt.keys()].sort(), members.map(({ id }) => id).sort());
    const given = members.flatMap(({ id }) => ids(dealt.get(id) ?? new Map()));
    const subscribed = new Set(members.flatMap((each) => each.topics));
    const expected = ids(topics(sizes)).filter((at) => subscribed.has(at.split("/")[0] ?? ""));
    assert.deepEqual(given.sort(), expected.sort());
    for (const each of members) {
      for (const topic of dealt.get(each.id)?.keys() ?? []) assert.ok(each.topics.includes(topic));
    }
  }));
});

Deno.test("assignPartitions() gives a topic's subscribers numbers that differ by one at most", () => {
  fc.assert(fc.property(mixed, counts, (members, sizes) => {
    const dealt = assignPartitions(members, topics(sizes));
    for (const topic of NAMES) {
      const subscribers = members.filter((each) => each.topics.includes(topic));
      assertEven(subscribers.map(({ id }) => dealt.get(id)?.get(topic)?.length ?? 0));
    }
  }));
});

Deno.test("assignPartitions() gives totals that differ by one at most where all subscribe to the same", () => {
  fc.assert(fc.property(alike, counts, (members, sizes) => {
    const dealt = assignPartitions(members, topics(sizes));
    assertEven(members.map(({ id }) => ids(dealt.get(id) ?? new Map()).length));
  }));
});

Deno.test("assignPartitions() leaves an assignment as it is when nothing has changed", () => {
  fc.assert(fc.property(mixed, counts, (members, sizes) => {
    const first = assignPartitions(members, topics(sizes));
    assert.deepEqual(shown(assignPartitions(after(members, first), topics(sizes))), shown(first));
  }));
});

Deno.test("assignPartitions() moves no more of a topic than balance asks for", () => {
  fc.assert(fc.property(alike, fc.nat(24), fc.nat(3), (all, count, leaving) => {
    const only = { t: count };
    const before = all.slice(0, Math.max(1, all.length - leaving));
    // Some leave or some join: whichever way it goes, the larger group is `all`.
    for (const [from, to] of [[all, before], [before, all]] as const) {
      const dealt = after(from, assignPartitions(from.map((each) => ({ ...each, owned: [] })), topics(only)));
      const claiming = to.map((each) => dealt.find(({ id }) => id === each.id) ?? { ...each, owned: [] });
      const result = assignPartitions(claiming, topics(only));
      const owned = claiming.map((each) => each.owned.length);
      const kept = claiming.reduce((sum, each) => sum + keptOf(each, result), 0);
      assert.equal(kept, keptMost(owned, count));
    }
  }));
});

Deno.test("assignPartitions() does not depend on the order of the members", () => {
  fc.assert(fc.property(mixed, counts, (members, sizes) => {
    const sorted = (assignment: Assignment) => Object.entries(shown(assignment)).sort();
    assert.deepEqual(
      sorted(assignPartitions(members.toReversed(), topics(sizes))),
      sorted(assignPartitions(members, topics(sizes))),
    );
  }));
});

function assertEven(numbers: readonly number[]): void {
  assert.ok(
    Math.max(0, ...numbers) - Math.min(...numbers, Infinity) <= 1 || numbers.length === 0,
    `${numbers}`,
  );
}

function keptOf({ id, owned }: GroupMember, result: Assignment): number {
  return owned.filter(({ topic, partition }) => result.get(id)?.get(topic)?.includes(partition)).length;
}

/** The most that can stay where it is when shares differ by one at most. */
function keptMost(owned: readonly number[], count: number): number {
  const even = Math.floor(count / owned.length);
  const rest = count % owned.length;
  const above = owned.filter((has) => has > even).length;
  return owned.reduce((sum, has) => sum + Math.min(has, even), 0) + Math.min(rest, above);
}
