// TopicSelection: which topics are meant, by name or by pattern. Pure.

import { deadLetterTopicOf, type SideTopicNames } from "../../records/topic_names.ts";

/** What `KAFKA_TOPIC` says. */
export interface TopicSelection {
  readonly names: readonly string[];
  /** A topic is meant when one of them matches a part of its name, as regular expressions do. */
  readonly patterns: readonly RegExp[];
}

/** The topics that are meant, those that are there and those that are not. */
export interface Selected {
  readonly found: readonly string[];
  /** Names that there is no topic of. */
  readonly missing: readonly string[];
}

/** One element of the list: a pattern may hold commas, and slashes behind a backslash. */
const ELEMENT = /\s*(\/(?:\\.|[^\/\\])+\/\s*(?=,|$)|[^,]*)(?:,|$)/y;
/** Kafka's own rule for topic names. */
const NAME = /^[A-Za-z0-9._-]{1,249}$/;

/** Reads a comma list of names and `/pattern/`s; a problem says what is wrong with an element. */
export function parseTopics(text: string): TopicSelection & { readonly problems: readonly string[] } {
  const names: string[] = [];
  const patterns: RegExp[] = [];
  const problems: string[] = [];
  for (const element of elementsOf(text)) {
    if (NAME.test(element)) names.push(element);
    else if (!/^\/.+\/$/.test(element)) {
      problems.push(`has a name that Kafka does not take: ${JSON.stringify(element)}`);
    } else {
      const pattern = toPattern(element);
      if (typeof pattern === "string") problems.push(`has a pattern that is none: ${pattern}`);
      else patterns.push(pattern);
    }
  }
  return { names, patterns, problems };
}

/** The selection as it was written, for people. */
export function describeTopics({ names, patterns }: TopicSelection): string {
  return [...names, ...patterns.map(String)].join(", ");
}

/**
 * Holds a selection against the topics there are. Patterns never mean Kafka's own topics, nor dead letters and replays:
 * not this group's, and no other group's of a topic that exists. Who wants one of those says its name.
 */
export function selectTopics(
  { names, patterns }: TopicSelection,
  existing: readonly string[],
  sides: SideTopicNames,
): Selected {
  const there = new Set(existing);
  const matching = existing.filter((topic) =>
    patterns.some((pattern) => pattern.test(topic)) && !isInternal(topic) && !isSideTopic(topic, there, sides)
  );
  const found = new Set([...names.filter((name) => there.has(name)), ...matching.sort()]);
  return { found: [...found], missing: names.filter((name) => !there.has(name)) };
}

/** The dead-letter topics there are of a selection, also of topics that are gone themselves. */
export function deadLetterTopics(
  { names, patterns }: TopicSelection,
  existing: readonly string[],
  { groupId, deadLetterTopic }: SideTopicNames,
): readonly string[] {
  if (deadLetterTopic !== undefined) return existing.filter((topic) => topic === deadLetterTopic);
  const suffix = deadLetterTopicOf("", groupId, undefined);
  return existing.filter((topic) => {
    if (!topic.endsWith(suffix)) return false;
    const source = topic.slice(0, -suffix.length);
    return names.includes(source) || patterns.some((pattern) => pattern.test(source));
  });
}

function elementsOf(text: string): readonly string[] {
  const elements: string[] = [];
  ELEMENT.lastIndex = 0;
  while (ELEMENT.lastIndex < text.length) elements.push(ELEMENT.exec(text)?.[1]?.trim() ?? "");
  // A comma at the end is no empty name.
  return elements.length > 1 && elements.at(-1) === "" ? elements.slice(0, -1) : elements;
}

/** The pattern, or why it is none. */
function toPattern(element: string): RegExp | string {
  try {
    return new RegExp(element.slice(1, -1));
  } catch (error) {
    return (error as Error).message;
  }
}

function isInternal(topic: string): boolean {
  return topic.startsWith("__");
}

/** `<topic>.<group>.dlq` and `.retry` of any group, where the topic exists; and those that are configured. */
function isSideTopic(topic: string, there: ReadonlySet<string>, sides: SideTopicNames): boolean {
  if (topic === sides.deadLetterTopic || topic === sides.retryTopic) return true;
  const [, stem] = /^(.+)\.(?:dlq|retry)$/.exec(topic) ?? [];
  if (stem === undefined) return false;
  // This group's names are known, also where the topic is gone; for others each dot may end the topic's name.
  if (stem.endsWith(`.${sides.groupId}`)) return true;
  for (let dot = stem.indexOf("."); dot > 0; dot = stem.indexOf(".", dot + 1)) {
    if (there.has(stem.slice(0, dot))) return true;
  }
  return false;
}
