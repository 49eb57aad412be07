// A model of Kafka's group coordinator: members, generations, commits that are fenced, and the dead-letter topic.

import { type DecodedMap, decodeOffsetMap } from "../../consumer/core/offsets/offset_map.ts";
import { chance, pick } from "./random.ts";
import { expect } from "./violation.ts";
import type { SimRecord, World } from "./world.ts";

/** What the coordinator sends to a member. */
export interface GroupListener {
  readonly memberId: string;
  onRebalancing(): void;
  onJoined(generation: number, partitions: readonly number[]): void;
  /** The group goes on without us. */
  onEvicted(): void;
}

/** One partition's line in a commit. */
export interface CommittedMark {
  readonly partition: number;
  readonly offset: number;
  readonly metadata: string;
  /** Which life of the topic it is about. */
  readonly life: number;
}

/** The coordinator of one group. */
export class Broker {
  readonly #world: World;
  readonly #members: Map<string, GroupListener> = new Map();
  readonly #committed: Map<number, CommittedMark> = new Map();
  #owners: Map<number, string> = new Map();
  #lastApplied: Map<string, number> = new Map();
  #preparing = false;
  #rebalances = 0;
  #joinedByMs = 0;
  generation = 0;
  deadLetters: SimRecord[] = [];

  constructor(world: World) {
    this.#world = world;
  }

  /** Whether members are being waited for. */
  get preparing(): boolean {
    return this.#preparing;
  }

  /** What the group committed for a partition. */
  committed(partition: number): CommittedMark {
    const life = this.#world.logs[partition]?.life ?? 0;
    return this.#committed.get(partition) ?? { partition, offset: 0, metadata: "", life };
  }

  /** Kafka forgets what was committed for a topic that is deleted. */
  forgetSources(): void {
    for (const partition of [...this.#committed.keys()]) {
      if (!this.#world.isRetry(partition)) this.#committed.delete(partition);
    }
  }

  /** An operator sets a partition back, which Kafka allows where nobody is a member. */
  rewind(partition: number, share: number): number | undefined {
    if (this.#members.size > 0) return undefined;
    const { life, offset } = this.committed(partition);
    const to = Math.floor(offset * share);
    this.#committed.set(partition, { partition, offset: to, metadata: "", life });
    return to;
  }

  /** Whether what is committed says that a record is settled. */
  covers(record: SimRecord): boolean {
    return covers(this.committed(record.partition), record.offset);
  }

  join(member: GroupListener): void {
    this.#members.set(member.memberId, member);
    this.rebalance();
  }

  leave(memberId: string): void {
    if (this.#members.delete(memberId)) this.rebalance();
  }

  /** A live member is taken for dead. */
  evict(memberId: string): void {
    const member = this.#members.get(memberId);
    if (member === undefined) return;
    this.leave(memberId);
    this.#world.timeline.after(this.#chance(3) * 3000, () => {
      if (member.memberId === memberId) member.onEvicted();
    });
  }

  rebalance(): void {
    if (this.#preparing) return;
    this.#preparing = true;
    this.#rebalances += 1;
    const { timeline } = this.#world;
    // A rebalance begins only after the last one has reached every member.
    const earliestMs = Math.max(0, this.#joinedByMs - timeline.nowMs);
    const takesMs = 100 + this.#chance(1) * 1500;
    for (const member of this.#members.values()) {
      // A member joins again only after its last commit: they go to the same broker, over one connection.
      timeline.after(earliestMs + this.#chance(2) * (takesMs - 50), () => member.onRebalancing());
    }
    timeline.after(earliestMs + takesMs, () => this.#complete());
  }

  /**
   * A commit arrives. Refused in another generation than ours and from one that is not a member.
   *
   * @param sequence grows with every commit of a member: what comes after its successor came over a connection that is
   * gone, and is not taken.
   *
   * @returns whether it was taken, but for the partitions that are refused alone.
   */
  commit(
    memberId: string,
    generation: number,
    sequence: number,
    marks: readonly CommittedMark[],
  ): { readonly ok: boolean; readonly refused: readonly number[] } {
    const none = { ok: false, refused: [] };
    if (!this.#members.has(memberId) || generation !== this.generation) return none;
    if (sequence < (this.#lastApplied.get(memberId) ?? 0)) return none;
    this.#lastApplied.set(memberId, sequence);
    const refused = marks.map(({ partition }) => partition).filter((each) => this.#world.isLeaderless(each));
    for (const mark of marks) {
      // What is about a topic that is gone is nobody's.
      if (refused.includes(mark.partition) || mark.life !== this.#world.logs[mark.partition]?.life) continue;
      expect(mark.metadata.length <= 4096, "metadata fits", () => `${mark.metadata.length} bytes`);
      expect(
        this.#owners.get(mark.partition) === memberId,
        "only owners commit",
        () => `${memberId} committed ${mark.partition}`,
      );
      this.#committed.set(mark.partition, mark);
    }
    return refused.length === marks.length ? none : { ok: true, refused };
  }

  #complete(): void {
    this.#preparing = false;
    this.generation += 1;
    const { timeline, scenario, story, logs } = this.#world;
    const generation = this.generation;
    const before = this.#owners;
    const ids = [...this.#members.keys()];
    this.#owners = new Map();
    const [first, ...rest] = ids;
    if (first === undefined) return;
    for (let partition = 0; partition < logs.length; partition++) {
      const owner = before.get(partition);
      const kept = scenario.sticky && owner !== undefined && this.#members.has(owner) &&
        this.#chance(4, partition) < 0.7;
      this.#owners.set(partition, kept ? owner : pick([first, ...rest], this.#chance(5, partition)));
    }
    story(() =>
      `generation ${generation}: ${[...this.#owners].map(([each, owner]) => `${each}→${owner}`).join(" ")}`
    );
    for (const member of this.#members.values()) {
      const partitions = [...this.#owners].filter(([, owner]) => owner === member.memberId).map(([each]) =>
        each
      );
      const { memberId } = member;
      this.#joinedByMs = timeline.nowMs + 300;
      timeline.after(this.#chance(6) * 299, () => {
        const still = generation === this.generation && member.memberId === memberId;
        if (still) member.onJoined(generation, partitions);
      });
    }
  }

  #chance(...about: number[]): number {
    return chance(this.#world.scenario.seed, 7001, this.#rebalances, ...about);
  }
}

/** Maps that were read already: the same one is asked about many records. */
const decodedMaps: Map<string, { readonly offset: number; readonly decoded: DecodedMap }> = new Map();
const DECODED_MAX = 32;

function decode({ metadata, offset }: Pick<CommittedMark, "metadata" | "offset">): DecodedMap {
  const known = decodedMaps.get(metadata);
  if (known?.offset === offset) return known.decoded;
  const decoded = decodeOffsetMap(metadata, offset);
  if (decodedMaps.size >= DECODED_MAX) decodedMaps.clear();
  decodedMaps.set(metadata, { offset, decoded });
  return decoded;
}

/** Whether a mark says that an offset is settled. */
export function covers(mark: Pick<CommittedMark, "metadata" | "offset">, offset: number): boolean {
  if (offset < mark.offset) return true;
  const decoded = decode(mark);
  if (decoded.kind !== "map") return false;
  return decoded.map.settled.some(([first, last]) => offset >= first && offset <= last);
}
