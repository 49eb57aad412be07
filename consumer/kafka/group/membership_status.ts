// MembershipStatus: why we are not a member of the group, as a cause; logged when it changes.

import type { Cause } from "../../../shared/http/health.ts";
import { logger } from "../../../shared/log.ts";
import { Forbidden, joinRefusalOf, type Refusal, refusalOf } from "../client/refusals.ts";
import type { Awaited } from "../topics/topic_watch.ts";

const log = logger("consumer");

const FORBIDDEN: Refusal["name"] = "kafka-forbidden";

/** Begins with the cause `joining`. */
export class MembershipStatus {
  readonly #nowMs: () => number;
  #cause: Cause | undefined;

  /** @param nowMs the time in ms since the epoch. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
    this.#cause = {
      name: "joining",
      sinceMs: nowMs(),
      detail: "Not a member of the consumer group yet",
      remedy: "Wait: other members may have to finish first.",
    };
  }

  /** The cause; none while we are a member. */
  causes(): readonly Cause[] {
    return this.#cause === undefined ? [] : [this.#cause];
  }

  /** We are a member. */
  joined(): void {
    this.#cause = undefined;
  }

  /** Something is not there yet. */
  waiting(awaited: Awaited): void {
    switch (awaited.kind) {
      case "brokers":
        return this.#set(
          "kafka-unavailable",
          `The brokers cannot be reached: ${awaited.why}`,
          "Look whether KAFKA_BROKERS and KAFKA_SECURITY_PROTOCOL are right and the brokers run. It goes on by itself.",
        );
      case "topic":
        return this.#set(
          "topic-missing",
          `The topic ${awaited.topic} does not exist yet`,
          "Make the topic, or correct KAFKA_TOPIC. It goes on by itself.",
        );
      case "match":
        return this.#set(
          "topic-missing",
          `There is no topic yet of those that are read: ${awaited.topics}`,
          "Make one of them, or correct KAFKA_TOPIC. It goes on by itself.",
        );
      default:
        return awaited satisfies never;
    }
  }

  /**
   * The membership ended. A refusal heals by itself when the right comes back, for joining goes on.
   *
   * @param missing the rights that turn out to be missing: what an error says names no topic, if it says why at all.
   */
  lost(error: Error, missing: Promise<readonly string[]> = Promise.resolve([])): void {
    const refusal = refusalOf(error) ?? joinRefusalOf(error) ?? {
      name: "kafka-unavailable",
      detail: `Not a member of the consumer group: ${error.message}`,
      remedy: "Look whether the brokers can be reached. It joins again by itself.",
    };
    const known = this.#cause?.name === FORBIDDEN &&
      (refusal.name === FORBIDDEN || refusalOf(error) === undefined);
    if (!known) this.#report(refusal);
    const reported = this.#cause;
    void missing.catch(() => []).then((rights) => {
      // Joined meanwhile, or lost again: then it is asked again.
      if (this.#cause !== reported) return;
      this.#report(rights.length === 0 ? refusal : refusalOf(new Forbidden(rights)) ?? refusal);
    });
  }

  #report({ name, detail, remedy }: Refusal | Omit<Cause, "sinceMs">): void {
    this.#set(name, detail, remedy);
  }

  #set(name: string, detail: string, remedy: string): void {
    const before = this.#cause;
    if (before?.detail !== detail) log.warn("cause", { cause: name, detail, remedy });
    this.#cause = { name, sinceMs: before?.name === name ? before.sinceMs : this.#nowMs(), detail, remedy };
  }
}
