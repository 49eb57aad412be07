import assert from "node:assert/strict";
import fc from "fast-check";
import { AssignerProtocol } from "kafkajs";
import {
  decodeClaim,
  encodeClaim,
  stickyAssignor,
} from "../../../../../consumer/kafka/group/sticky_assignor.ts";

type Cluster = Parameters<ReturnType<typeof stickyAssignor>>[0]["cluster"];

/** A cluster that knows one topic of four partitions. */
const cluster = {
  addMultipleTargetTopics: (topics: string[]) =>
    topics.includes("t") ? Promise.resolve() : Promise.reject(new Error("unknown topic")),
  findTopicPartitionMetadata: () => [0, 1, 2, 3].map((partitionId) => ({ partitionId })),
} as unknown as Cluster;

const assignor = stickyAssignor(() => ({ generation: 4, owned: [{ topic: "t", partition: 3 }] }))({
  cluster,
  groupId: "g",
  logger: undefined as never,
});

async function assign(members: { memberId: string; memberMetadata: Buffer }[]) {
  const assigned = await assignor.assign({ members, topics: ["t"] });
  return Object.fromEntries(
    assigned.map(({ memberId, memberAssignment }) => [
      memberId,
      AssignerProtocol.MemberAssignment.decode(memberAssignment)?.assignment["t"],
    ]),
  );
}

Deno.test("stickyAssignor() tells at every join what is held, and honours it as leader", async () => {
  const { metadata } = assignor.protocol({ topics: ["t"] });
  const other = AssignerProtocol.MemberMetadata.encode({
    version: 0,
    topics: ["t"],
    userData: encodeClaim({
      generation: 4,
      owned: [0, 1, 2].map((partition) => ({ topic: "t", partition })),
    }),
  });
  assert.deepEqual(
    await assign([{ memberId: "a", memberMetadata: other }, { memberId: "b", memberMetadata: metadata }]),
    { a: [0, 1], b: [2, 3] },
  );
});

Deno.test("stickyAssignor() deals partitions to members without user data and leaves unknown topics out", async () => {
  const plain = AssignerProtocol.MemberMetadata.encode({
    version: 0,
    topics: ["t", "unknown"],
    userData: Buffer.alloc(0),
  });
  assert.deepEqual(await assign([{ memberId: "a", memberMetadata: plain }]), { a: [0, 1, 2, 3] });
});

const claim = fc.record({
  generation: fc.nat(),
  owned: fc.uniqueArray(
    fc.record({ topic: fc.stringMatching(/^[a-z._-]{1,20}$/), partition: fc.nat(5000) }),
    {
      selector: ({ topic, partition }) => `${topic}/${partition}`,
    },
  ),
});

Deno.test("decodeClaim() reads what encodeClaim() wrote", () => {
  const sorted = (owned: readonly { topic: string; partition: number }[]) =>
    owned.map(({ topic, partition }) => `${topic}/${partition}`).sort();
  fc.assert(fc.property(claim, (given) => {
    const read = decodeClaim(encodeClaim(given));
    assert.equal(read.generation, given.generation);
    assert.deepEqual(sorted(read.owned), sorted(given.owned));
  }));
});

Deno.test("decodeClaim() takes whatever it does not understand for no claim", () => {
  const nothing = { generation: 0, owned: [] };
  assert.deepEqual(decodeClaim(null), nothing);
  for (const text of ["{", "[]", '{"v":9,"generation":1,"owned":[]}', '{"v":0,"generation":-1,"owned":[]}']) {
    assert.deepEqual(decodeClaim(new TextEncoder().encode(text)), nothing);
  }
  fc.assert(fc.property(fc.uint8Array(), (bytes) => assert.ok(Array.isArray(decodeClaim(bytes).owned))));
});
