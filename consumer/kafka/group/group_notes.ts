// GroupNotes keeps a short text for a group where Kafka keeps commits: as the metadata of a commit of a group beside it.

import type { Cluster, Kafka } from "kafkajs";
import { within } from "../../../shared/wait.ts";
import { clusterOf } from "../client/cluster.ts";
import { Forbidden, isForbidden } from "../client/refusals.ts";
import { patchOffsetCommit } from "../kafkajs_patches/offset_commit.ts";
import { toOffset } from "../message.ts";

/** How often a coordinator that moves is asked, and the pause in between, in ms. */
const TRIES = 5;
const AGAIN_MS = 300;
const CLOSE_LIMIT_MS = 2000;
/** Who commits without being a member. */
const NOBODY = { groupGenerationId: -1, memberId: "" };

/** A text with the number of its version. */
export interface Note {
  readonly version: number;
  readonly text: string;
}

/** The text is longer than the broker's `offset.metadata.max.bytes`. */
export class NoteTooLong extends Error {
  override readonly name = "NoteTooLong";
}

/**
 * The group beside ours has no members: anybody with our rights may commit for it, a consumer that is not a member as
 * well. A note lies at partition 0 of every topic, its version as the offset, because Kafka forgets what was committed
 * for a topic that is deleted.
 */
export class GroupNotes {
  readonly #cluster: Cluster;
  readonly #groupId: string;
  #used = false;

  /** @param groupId begins the name of the group beside it, so that rights that go by prefix cover it. */
  constructor(kafka: Kafka, groupId: string, name: string) {
    patchOffsetCommit();
    this.#cluster = clusterOf(kafka);
    this.#groupId = `${groupId}.${name}`;
  }

  /**
   * The newest note of these topics, and whether all of them have it.
   *
   * @throws {Forbidden} @throws what Kafka said where it could not be asked.
   */
  async read(
    topics: readonly string[],
  ): Promise<{ readonly newest: Note | undefined; readonly complete: boolean }> {
    const asked = topics.map((topic) => ({ topic, partitions: [{ partition: 0 }] }));
    const { responses } = await this.#ask((broker) =>
      broker.offsetFetch({ groupId: this.#groupId, topics: asked })
    );
    const notes = responses.flatMap(({ partitions }) => partitions).map(({ offset, metadata }) => ({
      version: toOffset(offset),
      text: metadata ?? "",
    }));
    const newest = notes.reduce<Note | undefined>(
      (best, note) => note.version > (best?.version ?? 0) ? note : best,
      undefined,
    );
    return { newest, complete: notes.every(({ version }) => version === (newest?.version ?? version)) };
  }

  /**
   * Resolves when the broker has it for one of the topics at least.
   *
   * @throws {NoteTooLong} @throws {Forbidden} @throws what Kafka said.
   */
  async write(topics: readonly string[], { version, text }: Note): Promise<void> {
    const partitions = [{ partition: 0, offset: String(version), metadata: text }];
    const commit = {
      ...NOBODY,
      groupId: this.#groupId,
      topics: topics.map((topic) => ({ topic, partitions })),
    };
    await this.#ask(async (broker) => {
      try {
        await broker.offsetCommit(commit);
      } catch (error) {
        const { refusals = [] } = error as { readonly refusals?: readonly { readonly type: string }[] };
        if (refusals.some(({ type }) => type === "OFFSET_METADATA_TOO_LARGE")) {
          throw new NoteTooLong(`Kafka keeps no text of ${text.length} bytes`);
        }
        // A topic that has just been deleted costs the others nothing.
        if (refusals.length === 0 || refusals.length === topics.length) throw error;
      }
    });
  }

  /** Ends the connection. */
  async close(): Promise<void> {
    if (this.#used) await within(CLOSE_LIMIT_MS, this.#cluster.disconnect());
  }

  async #ask<T>(question: (coordinator: Coordinator) => Promise<T>): Promise<T> {
    for (let tries = 1;; tries++) {
      try {
        this.#used = true;
        await this.#cluster.connect();
        const coordinator = await this.#cluster.findGroupCoordinator({ groupId: this.#groupId });
        return await question(coordinator as unknown as Coordinator);
      } catch (error) {
        if (isForbidden(error)) throw new Forbidden([`commit for the group ${this.#groupId}`]);
        if (error instanceof NoteTooLong || tries === TRIES) throw error;
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      }
    }
  }
}

/** kafkajs's types leave out the metadata. */
interface Coordinator {
  offsetFetch(question: {
    readonly groupId: string;
    readonly topics: readonly {
      readonly topic: string;
      readonly partitions: readonly { readonly partition: number }[];
    }[];
  }): Promise<{
    readonly responses: readonly {
      readonly partitions: readonly { readonly offset: string; readonly metadata: string | null }[];
    }[];
  }>;
  offsetCommit(commit: {
    readonly groupId: string;
    readonly groupGenerationId: number;
    readonly memberId: string;
    readonly topics: readonly {
      readonly topic: string;
      readonly partitions: readonly {
        readonly partition: number;
        readonly offset: string;
        readonly metadata: string;
      }[];
    }[];
  }): Promise<unknown>;
}
