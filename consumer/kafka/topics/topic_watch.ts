// Topics: waits for the brokers and for the topics that are read, makes their side topics, and goes on looking.

import { monotonicMs } from "../../../shared/clock.ts";
import type { Admin, Kafka } from "kafkajs";
import { logger } from "../../../shared/log.ts";
import type { Cause } from "../../../shared/http/health.ts";
import { StartError } from "../../../shared/process/start_error.ts";
import { DeadLetterAccess } from "./dead_letter_access.ts";
import { pause, tryUntil, within } from "../../../shared/wait.ts";
import { ReadAccess } from "./read_access.ts";
import { Forbidden, refusalLine, refusalOf } from "../client/refusals.ts";
import type { AclProbe } from "./acl_probe.ts";
import { countPartitions, ensureSideTopic } from "./side_topics.ts";
import { deadLetterTopicOf, retryTopicOf, sidesOf } from "../../records/topic_names.ts";
import { describeTopics, selectTopics, type TopicSelection } from "./topic_selection.ts";

/** Pause between looks for brokers and topics that are not there yet, in ms. */
const LOOK_EVERY_MS = 2000;
/** Pause between looks for topics that have come or gone, in ms. */
const LOOK_AGAIN_MS = 5000;
/** How long ending the connection may take, in ms. */
const CLOSE_LIMIT_MS = 2000;

/** Why a retry topic that is there is not read. */
const FORBIDDEN = "We have no right to read it";

const log = logger("kafka");

/** Where records come from and go to. */
export interface TopicNames {
  readonly source: { readonly topics: TopicSelection; readonly groupId: string };
  readonly deadLetterTopic: string | undefined;
  readonly retryTopic: string | undefined;
}

/** A topic that is read. */
export interface ReadTopic {
  readonly topic: string;
  /** How many there were when it was found. */
  readonly partitions: number;
  /** A retry topic: what is in it was sent for this group, so none of it is too old. */
  readonly replays: boolean;
}

/** A source topic that is read, and its retry topic where that is read, too. */
interface FoundTopic {
  readonly source: ReadTopic;
  readonly retries: ReadTopic | undefined;
}

/** What is being waited for. */
export type Awaited =
  | { readonly kind: "brokers"; readonly why: string }
  | { readonly kind: "topic"; readonly topic: string }
  | { readonly kind: "match"; readonly topics: string };

/** Nothing that is to be read exists. */
class NothingToRead extends Error {
  override readonly name = "NothingToRead";
}

/** Waits for the brokers and the topics, makes the side topics, and keeps looking for changes. */
export class TopicWatch {
  readonly #admin: Admin;
  readonly #names: TopicNames;
  readonly #signal: AbortSignal;
  readonly #closing = new AbortController();
  /** What is read, by source topic. */
  readonly #found: Map<string, FoundTopic> = new Map();
  readonly #rights: AclProbe;
  readonly #access: ReadAccess;
  readonly #deadLetters: DeadLetterAccess;
  #missing: ReadonlySet<string> = new Set();
  #following: Promise<void> = Promise.resolve();

  /**
   * @param kafka with few retries, so that what is wrong is told soon.
   * @param rights closed with this.
   * @param signal ends the waiting and the looking, as `close()` does.
   */
  constructor(kafka: Kafka, rights: AclProbe, names: TopicNames, signal: AbortSignal) {
    this.#admin = kafka.admin();
    this.#rights = rights;
    this.#access = new ReadAccess(this.#admin, rights);
    this.#deadLetters = new DeadLetterAccess(rights, monotonicMs);
    this.#names = names;
    this.#signal = AbortSignal.any([signal, this.#closing.signal]);
  }

  /**
   * The topics to read, as soon as one of those that are meant exists. Undefined when the signal fired first.
   *
   * @throws {StartError} when Kafka refuses us: that does not heal by waiting.
   */
  async first(waiting: (awaited: Awaited) => void): Promise<readonly ReadTopic[] | undefined> {
    const failed = (error: Error) => {
      const refusal = refusalOf(error);
      if (refusal !== undefined) throw new StartError(refusalLine(refusal));
      waiting(error instanceof NothingToRead ? this.#awaited() : { kind: "brokers", why: error.message });
    };
    return await tryUntil(async () => {
      await this.#look();
      const missing = await this.missingRights();
      if (missing.length > 0) throw new Forbidden(missing);
      if (this.#found.size === 0) throw new NothingToRead();
      return this.#topics();
    }, { everyMs: LOOK_EVERY_MS, signal: this.#signal, failed });
  }

  /** Looks again and again, and tells when topics have come or gone. */
  follow(changed: (topics: readonly string[]) => Promise<void>): void {
    this.#following = this.#follow(changed);
  }

  /**
   * What we have to do and may not, such as "join the group g". A retry topic is not among it: it is read no more.
   *
   * @throws what went wrong where Kafka could not be asked.
   */
  async missingRights(): Promise<readonly string[]> {
    const { topics, groupId } = this.#names.source;
    for (const [topic, { source, retries }] of this.#found) {
      if (retries === undefined || await this.#rights.mayRead(retries.topic)) continue;
      this.#tellNoReplays(retries.topic, FORBIDDEN);
      this.#found.set(topic, { source, retries: undefined });
    }
    // What only matches a pattern and was never ours to read may be somebody else's.
    return await this.#access.missing([...new Set([...topics.names, ...this.#found.keys()])], groupId);
  }

  /** A dead letter could not be written: it is looked at why. */
  doubtDeadLetters(): void {
    this.#deadLetters.doubt();
  }

  /** What keeps records from going where they have to. */
  causes(): readonly Cause[] {
    return this.#deadLetters.causes();
  }

  /** Looks no more. */
  async close(): Promise<void> {
    this.#closing.abort();
    await within(CLOSE_LIMIT_MS, this.#following);
    await within(CLOSE_LIMIT_MS, Promise.all([this.#admin.disconnect(), this.#rights.close()]));
  }

  async #follow(changed: (topics: readonly string[]) => Promise<void>): Promise<void> {
    const names = () => this.#topics().map(({ topic }) => topic);
    let told = names().join();
    for (;;) {
      await pause(LOOK_AGAIN_MS, this.#signal);
      if (this.#signal.aborted) return;
      try {
        await this.#look();
        const now = names();
        if (now.join() === told) continue;
        log.info("topics changed", { topics: now });
        await changed(now);
        told = now.join();
      } catch (error) {
        // The source says what is wrong with the brokers; here it only means that nothing new is known.
        log.debug("cannot look for topics", { error: String(error) });
      }
    }
  }

  async #look(): Promise<void> {
    await this.#admin.connect();
    const { found, missing } = selectTopics(
      this.#names.source.topics,
      await this.#existing(),
      sidesOf(this.#names),
    );
    for (const gone of [...this.#found.keys()].filter((topic) => !found.includes(topic))) {
      log.warn("topic gone", { topic: gone, remedy: "It is read again when it comes back." });
      this.#found.delete(gone);
    }
    for (const topic of found) if (!this.#found.has(topic)) await this.#add(topic);
    this.#miss(missing.filter((topic) => !this.#access.isForbidden(topic)));
    this.#deadLetters.keep(new Set([...this.#found.keys()].map((topic) => this.#deadLettersOf(topic))));
    await this.#deadLetters.lookAgain(this.#admin);
    await this.#findRetryTopics();
  }

  /** With a pattern all topics there are; without one nobody needs the right to see them. */
  async #existing(): Promise<readonly string[]> {
    const { names, patterns } = this.#names.source.topics;
    if (patterns.length > 0) return await this.#admin.listTopics();
    const existing: string[] = [];
    for (const name of names) {
      const there = await this.#access.sees(name);
      // What was read and is forbidden now is read on when it is allowed again.
      if (there || this.#found.has(name) && this.#access.isForbidden(name)) existing.push(name);
    }
    return existing;
  }

  async #add(topic: string): Promise<void> {
    const { groupId, retryTopic } = sidesOf(this.#names);
    const partitions = await countPartitions(this.#admin, topic);
    if (partitions === undefined) return;
    if (!await this.#access.reads(topic)) return;
    await this.#deadLetters.add(this.#admin, this.#deadLettersOf(topic), partitions);
    const retries = retryTopicOf(topic, groupId, retryTopic);
    const missing = await ensureSideTopic(this.#admin, retries, partitions) ??
      (await this.#rights.mayRead(retries) ? undefined : FORBIDDEN);
    if (missing !== undefined) this.#tellNoReplays(retries, missing);
    this.#found.set(topic, {
      source: { topic, partitions, replays: false },
      retries: missing === undefined ? { topic: retries, partitions, replays: true } : undefined,
    });
  }

  #tellNoReplays(topic: string, why: string): void {
    log.warn("no replays are read", { topic, why, remedy: "Make it, or grant the right to read it." });
  }

  /** Those that were not there, or not ours to read, when their source was found. */
  async #findRetryTopics(): Promise<void> {
    for (const [topic, { source, retries }] of this.#found) {
      if (retries !== undefined) continue;
      const name = retryTopicOf(topic, this.#names.source.groupId, this.#names.retryTopic);
      const partitions = await countPartitions(this.#admin, name).catch(() => undefined);
      if (partitions === undefined || !await this.#rights.mayRead(name)) continue;
      this.#found.set(topic, { source, retries: { topic: name, partitions, replays: true } });
    }
  }

  /** Told once: others are read meanwhile. */
  #miss(missing: readonly string[]): void {
    for (const topic of missing) {
      if (this.#missing.has(topic) || this.#found.size === 0) continue;
      log.warn("topic missing", {
        topic,
        remedy: "Make the topic, or correct KAFKA_TOPIC. It is waited for.",
      });
    }
    this.#missing = this.#found.size === 0 ? new Set() : new Set(missing);
  }

  #topics(): readonly ReadTopic[] {
    // Several source topics may share a retry topic.
    const topics = new Map<string, ReadTopic>();
    for (const { source, retries } of this.#found.values()) {
      topics.set(source.topic, source);
      if (retries !== undefined) topics.set(retries.topic, retries);
    }
    return [...topics.values()];
  }

  #awaited(): Awaited {
    const { names, patterns } = this.#names.source.topics;
    const [only] = names;
    return only !== undefined && names.length + patterns.length === 1
      ? { kind: "topic", topic: only }
      : { kind: "match", topics: describeTopics(this.#names.source.topics) };
  }

  #deadLettersOf(topic: string): string {
    const { groupId, deadLetterTopic } = sidesOf(this.#names);
    return deadLetterTopicOf(topic, groupId, deadLetterTopic);
  }
}
