// UnreadablePartitions: which of our partitions cannot be read now; logged when it lasts, then a cause.

import type { Cause } from "../../../shared/http/health.ts";
import { logger } from "../../../shared/log.ts";
import { partitionId, type TopicPartition } from "../../records/position.ts";
import { isUnreached } from "../kafkajs_patches/group_fetch.ts";
import { Forbidden, isForbidden, refusalOf } from "../client/refusals.ts";

const log = logger("kafka");

/** An orderly election takes about a second, so what lasts less is not worth a line, in ms. */
const TOLD_AFTER_MS = 3000;
/** After so long it is a cause, in ms. A right that is missing is one at once. */
const CAUSE_AFTER_MS = TOLD_AFTER_MS;
/** So many partitions are named. */
const NAMED_MAX = 5;

interface Unreadable {
  readonly at: TopicPartition;
  readonly sinceMs: number;
  readonly why: string;
  readonly forbidden: boolean;
  /** Its broker does not answer. */
  readonly unreached: boolean;
  told: boolean;
}

/** Partitions of one membership. */
export class UnreadablePartitions {
  readonly #nowMs: () => number;
  readonly #all: Map<string, Unreadable> = new Map();

  /** @param nowMs the time in ms, of the clock that causes go by. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** A partition could not be read, and is tried again. */
  failed(at: TopicPartition, error: Error): void {
    const before = this.#all.get(partitionId(at));
    const sinceMs = before?.sinceMs ?? this.#nowMs();
    const known = {
      at,
      sinceMs,
      why: error.message,
      forbidden: isForbidden(error),
      unreached: isUnreached(error),
      told: before?.told ?? false,
    };
    this.#all.set(partitionId(at), known);
    if (known.told || !known.forbidden && this.#nowMs() - sinceMs < TOLD_AFTER_MS) return;
    known.told = true;
    log.warn("partition unreadable", {
      ...at,
      why: known.why,
      remedy: "It is tried again; others are read.",
    });
    for (const cause of known.forbidden ? this.causes(Infinity) : []) this.#report(cause);
  }

  #report({ name, detail, remedy }: Cause): void {
    log.warn("cause", { cause: name, detail, remedy });
  }

  /** A partition was read. */
  read(at: TopicPartition): void {
    const before = this.#all.get(partitionId(at));
    if (before === undefined) return;
    this.#all.delete(partitionId(at));
    if (before.told) log.info("partition readable again", { ...at });
  }

  /** Partitions that are somebody else's now. */
  forget(partitions: readonly TopicPartition[]): void {
    for (const at of partitions) this.#all.delete(partitionId(at));
  }

  /** All of them. */
  clear(): void {
    this.#all.clear();
  }

  /**
   * Why some of what is ours is not delivered.
   *
   * @param owned how many partitions are ours.
   */
  causes(owned: number): readonly Cause[] {
    const nowMs = this.#nowMs();
    const all = [...this.#all.values()];
    const forbidden = all.filter((each) => each.forbidden);
    const away = all.filter((each) => !each.forbidden && nowMs - each.sinceMs >= CAUSE_AFTER_MS);
    const causes: Cause[] = [];
    if (forbidden.length > 0) {
      const rights = [...new Set(forbidden.map(({ at }) => `read the topic ${at.topic}`))];
      const refusal = refusalOf(new Forbidden(rights));
      if (refusal !== undefined) causes.push({ ...refusal, sinceMs: oldest(forbidden) });
    }
    const [first] = away;
    if (first !== undefined && away.length >= owned && away.every(({ unreached }) => unreached)) {
      causes.push({
        name: "kafka-unavailable",
        sinceMs: oldest(away),
        detail: `No broker that has our partitions can be reached: ${first.why}`,
        remedy: "Look whether the brokers run and can be reached from here. It goes on by itself.",
      });
    } else if (away.length > 0) {
      const named = away.slice(0, NAMED_MAX).map(({ at, why }) => `${partitionId(at)} (${why})`);
      const more = away.length - named.length;
      causes.push({
        name: "partitions-unreadable",
        sinceMs: oldest(away),
        detail: `Some partitions cannot be read: ${named.join(", ")}${more > 0 ? ` and ${more} more` : ""}`,
        remedy:
          "Look at the brokers that have their replicas. Other partitions are read; these go on by themselves.",
      });
    }
    return causes;
  }
}

const oldest = (some: readonly Unreadable[]) => Math.min(...some.map(({ sinceMs }) => sinceMs));
