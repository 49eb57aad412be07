// KeptStarts has the group keep where the reset policy let partitions begin, until the group has it.

import { logger } from "../../../shared/log.ts";
import { pause } from "../../../shared/wait.ts";
import { partitionId, type TopicPartition } from "../../records/position.ts";
import type { CommitMarks } from "./commit_marks.ts";
import type { Place } from "./membership.ts";

const log = logger("kafka");

/** Pause between tries, in ms. */
const AGAIN_MS = 500;

/** Commits past the machine, which commits only what is beyond a start. */
export class KeptStarts {
  readonly #marks: Pick<CommitMarks, "commit">;
  readonly #signal: AbortSignal;
  /** Starts that the group does not have yet, by partition. */
  readonly #missing: Map<string, Place> = new Map();
  #saving: Promise<void> | undefined;

  /** @param signal ends the tries. */
  constructor(marks: Pick<CommitMarks, "commit">, signal: AbortSignal) {
    this.#marks = marks;
    this.#signal = signal;
  }

  /** Partitions begin here: what the policy chose it might choose differently the next time. */
  keep(starts: readonly (TopicPartition & { readonly offset: number })[]): void {
    for (const { topic, partition, offset } of starts) {
      this.#missing.set(partitionId({ topic, partition }), { topic, partition, offset, metadata: "" });
    }
    if (this.#missing.size > 0) this.#saving ??= this.#save().finally(() => this.#saving = undefined);
  }

  /** Their starts do not matter any more: a mark that is further goes out, or they are somebody else's. */
  forget(partitions: readonly TopicPartition[]): void {
    for (const at of partitions) this.#missing.delete(partitionId(at));
  }

  async #save(): Promise<void> {
    let reported = false;
    while (this.#missing.size > 0 && !this.#signal.aborted) {
      const starts = [...this.#missing];
      try {
        const refused = await this.#marks.commit(starts.map(([, place]) => place));
        for (const [id, place] of starts) {
          if (!refused.has(id) && this.#missing.get(id) === place) this.#missing.delete(id);
        }
      } catch (error) {
        if (!reported) {
          log.warn("where reading begins is not committed yet", { error: (error as Error).message });
        }
        reported = true;
      }
      if (this.#missing.size > 0) await pause(AGAIN_MS, this.#signal);
    }
  }
}
