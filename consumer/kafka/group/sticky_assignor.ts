// stickyAssignor() speaks Kafka's join protocol: members say what they own, the leader assigns the partitions.

import { AssignerProtocol, type Cluster, type GroupMember as Joiner, type PartitionAssigner } from "kafkajs";
import { z } from "zod";
import { logger } from "../../../shared/log.ts";
import {
  assignPartitions,
  type Claim,
  type GroupMember,
  type PartitionsByTopic,
} from "./sticky_assignment.ts";

const log = logger("kafka");

/** The protocol's name in the group. Members agree on one that all of them know. */
const NAME = "ackpool-sticky";
/** Version of the subscription and assignment formats, and of our user data. */
const VERSION = 0;

const userDataSchema = z.object({
  v: z.literal(VERSION),
  generation: z.number().int().nonnegative(),
  // Pairs rather than an object's members: "__proto__" is a topic name like any other.
  owned: z.array(z.tuple([z.string(), z.array(z.number().int().nonnegative())])),
});

/** The assignor for kafkajs. `claim` is asked at every request to join: what we have, and since which generation. */
export function stickyAssignor(claim: () => Claim): PartitionAssigner {
  return ({ cluster }) => ({
    name: NAME,
    version: VERSION,
    protocol: ({ topics }) => ({
      name: NAME,
      metadata: AssignerProtocol.MemberMetadata.encode({
        version: VERSION,
        topics: [...topics],
        userData: encodeClaim(claim()),
      }),
    }),
    assign: async ({ members }) => {
      const group = members.map(readMember);
      const assignment = assignPartitions(group, await partitionsOf(cluster, group));
      return Array.from(assignment, ([memberId, partitions]) => ({
        memberId,
        memberAssignment: AssignerProtocol.MemberAssignment.encode({
          version: VERSION,
          assignment: Object.fromEntries(Array.from(partitions, ([topic, numbers]) => [topic, [...numbers]])),
          userData: Buffer.alloc(0),
        }),
      }));
    },
  });
}

/** A claim as the bytes that travel with a request to join. */
export function encodeClaim({ generation, owned }: Claim): Buffer {
  const topics = Map.groupBy(owned, ({ topic }) => topic);
  const numbers = Array.from(topics, ([topic, all]) => [topic, all.map(({ partition }) => partition)]);
  return Buffer.from(JSON.stringify({ v: VERSION, generation, owned: numbers }));
}

/** Reads a claim; one that is missing or not understood claims nothing. */
export function decodeClaim(userData: Uint8Array | null): Claim {
  const nothing = { generation: 0, owned: [] };
  if (userData === null || userData.length === 0) return nothing;
  try {
    const { generation, owned } = userDataSchema.parse(JSON.parse(new TextDecoder().decode(userData)));
    const all = owned.flatMap(([topic, numbers]) => numbers.map((partition) => ({ topic, partition })));
    return { generation, owned: all };
  } catch {
    return nothing;
  }
}

function readMember({ memberId, memberMetadata }: Joiner): GroupMember {
  const decoded = AssignerProtocol.MemberMetadata.decode(memberMetadata);
  return { id: memberId, topics: decoded?.topics ?? [], ...decodeClaim(decoded?.userData ?? null) };
}

/** Also of topics that only others subscribe to; a topic that cannot be found has none. */
async function partitionsOf(cluster: Cluster, group: readonly GroupMember[]): Promise<PartitionsByTopic> {
  const found = new Map<string, readonly number[]>();
  for (const topic of new Set(group.flatMap(({ topics }) => topics))) {
    try {
      await cluster.addMultipleTargetTopics([topic]);
    } catch (error) {
      log.warn("nobody gets partitions of this topic: it cannot be found", { topic, error: String(error) });
      continue;
    }
    found.set(topic, cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => partitionId));
  }
  return found;
}
