// TopicWatch waits for brokers and topics, creates the side topics, and notices topics that come, go or change.

import { monotonicMs } from "../../../shared/clock.ts";
import type { Admin, Kafka } from "kafkajs";
import { logger } from "../../../shared/log.ts";
import type { Cause } from "../../../shared/http/health.ts";
import { StartError } from "../../../shared/process/start_error.ts";
import { DeadLetterAccess } from "./dead_letter_access.ts";
import { pause, tryUntil, within } from "../../../shared/wait.ts";
import { ReadAccess } from "./read_access.ts";
import { Forbidden, refusalLine, refusalOf } from "../client/refusals.ts";
import { readTopicSettings, type TopicSettings, weaknessesOf } from "./topic_settings.ts";
import type { AclProbe } from "./acl_probe.ts";
import { countPartitions, ensureSideTopic } from "./side_topics.ts";
import { deadLetterTopicOf, retryTopicOf, sidesOf } from "../../records/topic_names.ts";
import { describeTopics, selectTopics, type TopicSelection } from "./topic_selection.ts";

/** Pause between looks for brokers and topics that are not there yet, in ms. */
const LOOK_EVERY_MS = 2000;
/** Pause between looks for topics that have come or gone, in ms. */
const LOOK_AGAIN_MS = 5000;
/** How often side topics are compared with their sources, in ms. */
const COMPARE_EVERY_MS = 60_000;
/** Looking may fail for so long before a line says so, and before it is a cause, in ms. */
const FAILING_TOLD_AFTER_MS = 10_000;
const FAILING_CAUSE_AFTER_MS = 30_000;
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
  readonly settings: TopicSettings;
  /** When its side topics were compared with it, in ms of the monotonic clock. */
  readonly lookedMs: number;
}

/** What is being waited for. */
export type Awaited =
  | { readonly kind: "brokers"; readonly why: string }
  | { readonly kind: "topic"; readonly topic: string }
  | { readonly kind: "match"; readonly topics: string };

/** None of the topics that are meant exists. */
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
  /** How side topics fall short, by source topic. */
  readonly #weak: Map<string, readonly string[]> = new Map();
  /** Ids of what is read, by topic. */
  readonly #ids: Map<string, string> = new Map();
  #failing: { readonly sinceMs: number; readonly told: boolean; readonly why: string } | undefined;
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
      await this.#look().catch((error) => {
        if (this.#found.size === 0) throw error;
      });
      const missing = await this.missingRights();
      if (missing.length > 0) throw new Forbidden(missing);
      if (this.#found.size === 0) throw new NothingToRead();
      await this.#compareIds(() => Promise.resolve());
      return this.#topics();
    }, { everyMs: LOOK_EVERY_MS, signal: this.#signal, failed });
  }

  /**
   * Looks again and again, and tells when topics have come or gone.
   *
   * @param recreated hears of a topic that was deleted and made anew between two looks; asked again where it throws.
   */
  follow(
    changed: (topics: readonly string[]) => Promise<void>,
    recreated: (topic: string) => Promise<void>,
  ): void {
    this.#following = this.#follow(changed, recreated);
  }

  /**
   * What we have to do and may not, such as "join the group g". A retry topic is not among it: it is read no more.
   *
   * @throws what went wrong where Kafka could not be asked.
   */
  async missingRights(): Promise<readonly string[]> {
    const { topics, groupId } = this.#names.source;
    for (const [topic, known] of this.#found) {
      const { retries } = known;
      if (retries === undefined || await this.#rights.mayRead(retries.topic)) continue;
      this.#reportNoReplays(retries.topic, FORBIDDEN);
      this.#found.set(topic, { ...known, retries: undefined });
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
    const { sinceMs, why } = this.#failing ?? { sinceMs: Infinity, why: "" };
    if (monotonicMs() - sinceMs < FAILING_CAUSE_AFTER_MS) return this.#deadLetters.causes();
    return [...this.#deadLetters.causes(), {
      name: "topics-unknown",
      sinceMs,
      detail: `Topics that come and go are not noticed: ${why}`,
      remedy: "Look at the brokers and the rights of this user. Topics that are known are read.",
    }];
  }

  /** Names of the topics that are read, retry topics among them. */
  get topics(): readonly string[] {
    return this.#topics().map(({ topic }) => topic);
  }

  /** What an operator should know and nothing waits for: side topics that are weaker than their source. */
  notes(): readonly string[] {
    return [...this.#weak.values()].flat();
  }

  /** Looks no more. */
  async close(): Promise<void> {
    this.#closing.abort();
    await within(CLOSE_LIMIT_MS, this.#following);
    await within(CLOSE_LIMIT_MS, Promise.all([this.#admin.disconnect(), this.#rights.close()]));
  }

  async #follow(
    changed: (topics: readonly string[]) => Promise<void>,
    recreated: (topic: string) => Promise<void>,
  ): Promise<void> {
    const names = () => this.#topics().map(({ topic }) => topic);
    let told = names().join();
    for (;;) {
      await pause(LOOK_AGAIN_MS, this.#signal);
      if (this.#signal.aborted) return;
      // What is known of some topics counts, whatever is wrong with others.
      const looked = await errorOf(this.#look());
      const now = names();
      if (now.join() !== told) log.info("topics changed", { topics: now });
      const heard = now.join() === told ? undefined : await errorOf(changed(now));
      if (heard === undefined) told = now.join();
      this.#failed(looked ?? heard ?? await errorOf(this.#compareIds(recreated)));
    }
  }

  /** A topic of the same name and another id has other records at the same offsets. */
  async #compareIds(recreated: (topic: string) => Promise<void>): Promise<void> {
    const topics = this.#topics().map(({ topic }) => topic);
    const ids = await this.#rights.topicIds(topics);
    for (const topic of this.#ids.keys()) if (!topics.includes(topic)) this.#ids.delete(topic);
    for (const [topic, id] of ids) {
      if ((this.#ids.get(topic) ?? id) !== id) await recreated(topic);
      this.#ids.set(topic, id);
    }
  }

  #failed(error: Error | undefined): void {
    const before = this.#failing;
    if (error === undefined) {
      this.#failing = undefined;
      if (before?.told) log.info("topics can be looked for again");
      return;
    }
    const sinceMs = before?.sinceMs ?? monotonicMs();
    const told = monotonicMs() - sinceMs >= FAILING_TOLD_AFTER_MS;
    if (told && !before?.told) log.warn("topics cannot be looked for", { error: error.message });
    this.#failing = { sinceMs, told, why: error.message };
  }

  /** @throws the first error of a topic, after all others were looked at. */
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
      this.#weak.delete(gone);
    }
    const errors: Error[] = [];
    const each = async (work: Promise<void>) => {
      const error = await errorOf(work);
      if (error !== undefined) errors.push(error);
    };
    for (const topic of found) if (!this.#found.has(topic)) await each(this.#add(topic));
    this.#miss(missing.filter((topic) => !this.#access.isForbidden(topic)));
    this.#deadLetters.keep(new Set([...this.#found.keys()].map((topic) => this.#deadLettersOf(topic))));
    await each(this.#deadLetters.lookAgain(this.#admin));
    for (const [topic, known] of this.#found) await each(this.#lookAtSides(topic, known));
    if (errors[0] !== undefined) throw errors[0];
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
    const settings = await this.#settingsOf(topic);
    if (settings === undefined || !await this.#access.reads(topic)) return;
    const { partitions } = settings;
    const found = {
      source: { topic, partitions, replays: false },
      retries: undefined,
      settings,
      lookedMs: -Infinity,
    };
    this.#found.set(topic, found);
    await this.#deadLetters.add(this.#admin, this.#deadLettersOf(topic), settings);
  }

  async #settingsOf(topic: string): Promise<TopicSettings | undefined> {
    return await countPartitions(this.#admin, topic) === undefined
      ? undefined
      : await readTopicSettings(this.#admin, topic);
  }

  /** Nothing that is wrong with a side topic keeps its source from being read. */
  async #lookAtSides(topic: string, known: FoundTopic): Promise<void> {
    const { settings, source, lookedMs } = known;
    const name = this.#retriesOf(topic);
    // One that is read is given up only where Kafka says so itself, not where it cannot be asked.
    const there = known.retries !== undefined && await this.#isThere(name);
    const missing = (there ? undefined : await ensureSideTopic(this.#admin, name, settings)) ??
      (await this.#rights.mayRead(name) ? undefined : FORBIDDEN);
    if (missing !== undefined && (known.retries !== undefined || lookedMs === -Infinity)) {
      this.#reportNoReplays(name, missing);
    }
    const retries = missing === undefined
      ? known.retries ?? { topic: name, partitions: source.partitions, replays: true }
      : undefined;
    const due = monotonicMs() - lookedMs >= COMPARE_EVERY_MS;
    this.#found.set(topic, { ...known, retries, lookedMs: due ? monotonicMs() : lookedMs });
    if (due) await this.#compare(topic, settings, [this.#deadLettersOf(topic), name]);
  }

  async #isThere(topic: string): Promise<boolean> {
    try {
      return await countPartitions(this.#admin, topic) !== undefined;
    } catch (error) {
      if (error instanceof Forbidden) return false;
      throw error;
    }
  }

  /** Side topics that were there before may be weaker than their source. */
  async #compare(topic: string, wanted: TopicSettings, sides: readonly string[]): Promise<void> {
    const weak: string[] = [];
    for (const side of sides) {
      const settings = await this.#settingsOf(side);
      if (settings !== undefined) weak.push(...weaknessesOf(side, settings, topic, wanted));
    }
    for (const why of weak) {
      if (!this.#weak.get(topic)?.includes(why)) log.warn("weak side topic", { topic, why });
    }
    this.#weak.set(topic, weak);
  }

  #reportNoReplays(topic: string, why: string): void {
    log.warn("no replays are read", { topic, why, remedy: "Make it, or grant the right to read it." });
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

  #retriesOf(topic: string): string {
    const { groupId, retryTopic } = sidesOf(this.#names);
    return retryTopicOf(topic, groupId, retryTopic);
  }

  #deadLettersOf(topic: string): string {
    const { groupId, deadLetterTopic } = sidesOf(this.#names);
    return deadLetterTopicOf(topic, groupId, deadLetterTopic);
  }
}

const errorOf = (work: Promise<unknown>): Promise<Error | undefined> =>
  work.then(() => undefined, (error: Error) => error);
