// TopicSettings: what a topic is replicated and bounded by, and how a side topic falls short of its source.

import { type Admin, ConfigResourceTypes } from "kafkajs";

/** Settings that a side topic needs like its source: a dead letter is the only copy of its record. */
export interface TopicSettings {
  readonly partitions: number;
  readonly replicas: number;
  /** By Kafka's name; a setting that we may not see is not among them. */
  readonly configs: Readonly<Record<string, number>>;
  /** Those of them that the topic does not have from its broker. */
  readonly own: readonly string[];
}

const NAMES = ["min.insync.replicas", "max.message.bytes"];
/** What each of them is worth a word for. */
const WORDS: Readonly<Record<string, string>> = {
  "min.insync.replicas": "a record may be confirmed with fewer copies",
  "max.message.bytes": "a record may be too large for it",
};

/**
 * A topic's settings; undefined where there is no such topic.
 *
 * @throws what Kafka said where it cannot be asked.
 */
export async function readTopicSettings(admin: Admin, topic: string): Promise<TopicSettings | undefined> {
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
  const partitions = topics[0]?.partitions ?? [];
  if (partitions.length === 0) return undefined;
  const replicas = Math.min(...partitions.map((each) => each.replicas.length));
  const entries = await configsOf(admin, topic);
  return {
    partitions: partitions.length,
    replicas,
    configs: Object.fromEntries(entries.map(({ name, value }) => [name, value])),
    own: entries.filter(({ isDefault }) => !isDefault).map(({ name }) => name),
  };
}

/** How a side topic falls short of its source, in words; nothing where it does not. */
export function weaknessesOf(
  topic: string,
  side: TopicSettings,
  source: string,
  wanted: TopicSettings,
): readonly string[] {
  const weak: string[] = [];
  if (side.replicas < wanted.replicas) {
    weak.push(
      `${topic} has ${side.replicas} of the ${wanted.replicas} replicas of ${source}: what is in it may be lost, or away`,
    );
  }
  for (const name of NAMES) {
    const [has, needs] = [side.configs[name], wanted.configs[name]];
    if (has === undefined || needs === undefined || has >= needs) continue;
    weak.push(`${topic} has ${name}=${has} and ${source} has ${needs}: ${WORDS[name]}`);
  }
  return weak;
}

/** Not everybody may see a topic's configuration, and not every broker tells it. */
async function configsOf(admin: Admin, topic: string) {
  try {
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configNames: NAMES }],
    });
    return (resources[0]?.configEntries ?? []).map(({ configName, configValue, isDefault }) => ({
      name: configName,
      value: Number(configValue),
      isDefault,
    })).filter(({ name, value }) => NAMES.includes(name) && Number.isSafeInteger(value));
  } catch {
    return [];
  }
}
