// DeadLetterAccess checks, before there are dead letters, that their topics exist and may be written.

import type { Admin } from "kafkajs";
import type { Cause } from "../../../shared/http/health.ts";
import { logger } from "../../../shared/log.ts";
import type { AclProbe } from "./acl_probe.ts";
import { ensureSideTopic } from "./side_topics.ts";
import type { TopicSettings } from "./topic_settings.ts";

const log = logger("kafka");

/** What a topic lacks. */
interface Lack {
  readonly why: string;
  readonly sinceMs: number;
}

/** The dead-letter topics of what is read. */
export class DeadLetterAccess {
  readonly #rights: Pick<AclProbe, "mayWrite">;
  readonly #nowMs: () => number;
  /** Settings of their sources, by topic. */
  readonly #topics: Map<string, TopicSettings> = new Map();
  readonly #lacks: Map<string, Lack> = new Map();
  #doubted = false;

  /** @param nowMs the time in ms since the epoch. */
  constructor(rights: Pick<AclProbe, "mayWrite">, nowMs: () => number) {
    this.#rights = rights;
    this.#nowMs = nowMs;
  }

  /** Makes a topic where it is missing, and remembers what it lacks. Rejects when the brokers are away. */
  async add(admin: Admin, topic: string, source: TopicSettings): Promise<void> {
    this.#topics.set(topic, source);
    await this.#look(admin, topic, source);
  }

  /** What was read beside other topics is gone, so that nothing is written to them any more. */
  keep(topics: ReadonlySet<string>): void {
    for (const topic of [...this.#topics.keys()].filter((each) => !topics.has(each))) {
      this.#topics.delete(topic);
      this.#lacks.delete(topic);
    }
  }

  /** Looks again at topics that lack something, and at all of them after {@link doubt}. */
  async lookAgain(admin: Admin): Promise<void> {
    const doubted = this.#doubted;
    this.#doubted = false;
    for (const [topic, source] of this.#topics) {
      if (doubted || this.#lacks.has(topic)) await this.#look(admin, topic, source);
    }
  }

  /** A dead letter could not be written. */
  doubt(): void {
    this.#doubted = true;
  }

  /** The cause; none while every topic could be written to. */
  causes(): readonly Cause[] {
    const lacks = [...this.#lacks.values()];
    const [first] = lacks;
    if (first === undefined) return [];
    return [{
      name: "dead-letter-topic-unavailable",
      sinceMs: Math.min(...lacks.map(({ sinceMs }) => sinceMs)),
      detail: `Dead letters cannot be written: ${lacks.map(({ why }) => why).join("; ")}`,
      remedy: "Make the topic or grant the right to write it. Only the records that need it wait.",
    }];
  }

  async #look(admin: Admin, topic: string, source: TopicSettings): Promise<void> {
    const why = await this.#lackOf(admin, topic, source);
    const before = this.#lacks.get(topic);
    if (why === undefined) {
      if (this.#lacks.delete(topic)) log.info("dead letters can be written again", { topic });
      return;
    }
    if (before?.why === why) return;
    log.warn("dead letters cannot be written", { topic, why });
    this.#lacks.set(topic, { why, sinceMs: before?.sinceMs ?? this.#nowMs() });
  }

  async #lackOf(admin: Admin, topic: string, source: TopicSettings): Promise<string | undefined> {
    const missing = await ensureSideTopic(admin, topic, source);
    if (missing !== undefined) return `the topic ${topic} can be neither found nor made (${missing})`;
    return await this.#rights.mayWrite(topic) ? undefined : `we have no right to write the topic ${topic}`;
  }
}
