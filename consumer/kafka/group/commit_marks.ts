// CommitMarks commits places of partitions so that one that is refused costs no other, and without what is too long.

import { logger } from "../../../shared/log.ts";
import { partitionId } from "../../records/position.ts";
import { CommitRefused } from "../kafkajs_patches/offset_commit.ts";
import type { Place } from "./membership.ts";

const log = logger("kafka");

const TOO_LARGE = "OFFSET_METADATA_TOO_LARGE";

/** Learns how much metadata the broker takes (`offset.metadata.max.bytes`), which it tells to nobody. */
export class CommitMarks {
  readonly #commit: (places: readonly Place[]) => Promise<void>;
  #metadataMax = Infinity;

  /** @param commit rejects with {@link CommitRefused} where some were taken. */
  constructor(commit: (places: readonly Place[]) => Promise<void>) {
    this.#commit = commit;
  }

  /**
   * Commits, once. An offset map that is too long for the broker is left out: it is shorter again when more is settled.
   *
   * @returns the ids of partitions that were refused while others were taken.
   * @throws whatever all of them were refused with.
   */
  async commit(places: readonly Place[]): Promise<ReadonlySet<string>> {
    const refused = await this.#try(places.map((place) => this.#fitting(place)));
    const tooLong = places.filter((place) => refused.get(partitionId(place)) === TOO_LARGE);
    if (tooLong.length > 0) {
      this.#learn(tooLong);
      const again = await this.#try(tooLong.map((place) => ({ ...place, metadata: "" })));
      for (const place of tooLong) if (!again.has(partitionId(place))) refused.delete(partitionId(place));
    }
    const first = [...refused.values()][0];
    if (refused.size === places.length && first !== undefined) {
      throw new CommitRefused(
        places.map((place) => ({ ...place, type: refused.get(partitionId(place)) ?? first })),
      );
    }
    return new Set(refused.keys());
  }

  #fitting(place: Place): Place {
    return place.metadata.length > this.#metadataMax ? { ...place, metadata: "" } : place;
  }

  #learn(tooLong: readonly Place[]): void {
    this.#metadataMax = Math.min(...tooLong.map(({ metadata }) => metadata.length - 1));
    log.warn("the broker does not take commits with so much metadata", {
      bytes: this.#metadataMax + 1,
      remedy:
        "Raise its offset.metadata.max.bytes to 4096. Until then more may be delivered again after a crash.",
    });
  }

  /** The errors by partition; none where all were taken. */
  async #try(places: readonly Place[]): Promise<Map<string, string>> {
    try {
      await this.#commit(places);
      return new Map();
    } catch (error) {
      if (!(error instanceof CommitRefused)) throw error;
      return new Map(error.refusals.map(({ type, ...at }) => [partitionId(at), type]));
    }
  }
}
