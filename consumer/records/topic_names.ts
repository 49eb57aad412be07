// Names of the two topics beside every source topic: dead letters go into one, replays come out of the other.

/** What the names of the side topics follow from, besides the source topic's. */
export interface SideTopicNames {
  readonly groupId: string;
  /** As configured. */
  readonly deadLetterTopic: string | undefined;
  readonly retryTopic: string | undefined;
}

/** `<topic>.<group>.dlq`, or the one that is configured. */
export function deadLetterTopicOf(topic: string, groupId: string, configured: string | undefined): string {
  return configured ?? `${topic}.${groupId}.dlq`;
}

/** `<topic>.<group>.retry`, or the one that is configured: replays go there, so that other groups never see them. */
export function retryTopicOf(topic: string, groupId: string, configured: string | undefined): string {
  return configured ?? `${topic}.${groupId}.retry`;
}

/** Whether replays come out of this topic. */
export function isRetryTopic(topic: string, { groupId, retryTopic }: SideTopicNames): boolean {
  return retryTopic === undefined
    ? topic.endsWith(retryTopicOf("", groupId, undefined))
    : topic === retryTopic;
}

/** What a configuration says about the side topics. */
export function sidesOf(config: {
  readonly source: { readonly groupId: string };
  readonly deadLetterTopic: string | undefined;
  readonly retryTopic: string | undefined;
}): SideTopicNames {
  const { source: { groupId }, deadLetterTopic, retryTopic } = config;
  return { groupId, deadLetterTopic, retryTopic };
}
