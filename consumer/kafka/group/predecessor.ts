// Predecessor: takes the dead process that had our instance id out of the group, so that nobody waits for its session.

import type { Broker, Cluster } from "kafkajs";
import { logger } from "../../../shared/log.ts";
import { pause } from "../../../shared/wait.ts";

const log = logger("kafka");

/** How often it is tried, and the wait in between, in ms: a coordinator may be loading its groups. */
const TRIES = 3;
const AGAIN_MS = 300;
/** The member is not in the group any more: its session ended meanwhile. */
const GONE = "UNKNOWN_MEMBER_ID";
/** What a client id is for all members without an instance id. */
const CLIENT_ID = "ackpool-consumer";

/** What is touched of the broker that coordinates the group. */
interface Coordinator extends Broker {
  describeGroups(question: { readonly groupIds: readonly string[] }): Promise<{
    readonly groups: readonly {
      readonly members: readonly { readonly memberId: string; readonly clientId: string }[];
    }[];
  }>;
  leaveGroup(member: { readonly groupId: string; readonly memberId: string }): Promise<unknown>;
}

/** We were taken out of the group while we lived: somebody else started with our instance id. */
export class TakenOut extends Error {
  override readonly name = "TakenOut";
  /** Kafka's own name for it, of members that the broker knows by their instance ids. */
  readonly type = "FENCED_INSTANCE_ID";
  constructor() {
    super("This member was taken out of the group while it was alive");
  }
}

/**
 * The client id of an instance. Brokers tell the client ids of a group's members to whoever may read it, also while it
 * rebalances, and that is how a predecessor is known: kafkajs 2.2.4 cannot join with an instance id of Kafka's own.
 */
export function clientIdOf(instanceId: string | undefined): string {
  return instanceId === undefined ? CLIENT_ID : `${CLIENT_ID}@${instanceId}`;
}

/**
 * Takes every member with our instance id out of the group. We have not joined yet, so it is none of us. What it had
 * not committed is delivered again, as after any crash. Where it cannot be done the group waits for its session, as it
 * would without us; that is logged and not thrown.
 */
export async function takeOutPredecessor(
  cluster: Cluster,
  { groupId, instanceId }: { readonly groupId: string; readonly instanceId: string },
  signal: AbortSignal,
): Promise<void> {
  for (let tries = 1; !signal.aborted; tries++) {
    try {
      return await takeOut(cluster, groupId, instanceId);
    } catch (error) {
      if (tries === TRIES) {
        return log.warn("cannot look for a predecessor in the group", { error: (error as Error).message });
      }
      await pause(AGAIN_MS, signal);
    }
  }
}

async function takeOut(cluster: Cluster, groupId: string, instanceId: string): Promise<void> {
  const coordinator = await cluster.findGroupCoordinator({ groupId }) as Coordinator;
  const { groups } = await coordinator.describeGroups({ groupIds: [groupId] });
  const clientId = clientIdOf(instanceId);
  for (
    const member of groups.flatMap(({ members }) => members).filter((each) => each.clientId === clientId)
  ) {
    const { memberId } = member;
    try {
      await coordinator.leaveGroup({ groupId, memberId });
      log.info("predecessor taken out of the group", { instance: instanceId, member: memberId });
    } catch (error) {
      if ((error as { readonly type?: string }).type !== GONE) throw error;
    }
  }
}
