// What a journal of POSTs says about a stretch of time: what was settled, what came again, where it stood still.

import { parseIdempotencyKey } from "../../../shared/contract/protocol.ts";
import type { Journal, Post } from "./journal.ts";

/** A stretch of a campaign. */
export interface Stretch {
  readonly name: string;
  readonly fromMs: number;
  readonly toMs: number;
}

/** What happened in a stretch. */
export interface FlowMeasures {
  readonly settled: number;
  /** Records sent although another consumer had sent them, or after they were settled. */
  readonly redelivered: number;
  /** Those of them that were settled before: each cost a POST, none an LLM call. */
  readonly redeliveredSettled: number;
  /** Longest time in which nothing was settled. */
  readonly stallMs: number;
  /** Longest time in which one partition's records, of which there always were some, stood still. */
  readonly partitionStallMs: number;
}

/** Measures one stretch. */
export function measureFlow(journal: Journal, { fromMs, toMs }: Stretch, partitions: number): FlowMeasures {
  const settled = [...journal.settled].filter(([, atMs]) => atMs >= fromMs && atMs <= toMs);
  const times = (of: readonly (readonly [string, number])[]) =>
    longestGap(of.map(([, at]) => at), fromMs, toMs);
  const byPartition = Map.groupBy(settled, ([key]) => parseIdempotencyKey(key)?.partition ?? -1);
  const stalls = Array.from(
    { length: partitions },
    (_, partition) => times(byPartition.get(partition) ?? []),
  );
  const again = [...journal.postsByKey().values()].flatMap((posts) =>
    posts.filter((post, index) =>
      post.sentAtMs >= fromMs && post.sentAtMs <= toMs && isRedelivery(post, posts.slice(0, index))
    )
  );
  return {
    settled: settled.length,
    redelivered: new Set(again.map(({ key }) => key)).size,
    redeliveredSettled: new Set(
      again.filter(({ key, sentAtMs }) => (journal.settled.get(key) ?? Infinity) < sentAtMs).map(({ key }) =>
        key
      ),
    ).size,
    stallMs: times(settled),
    partitionStallMs: Math.max(...stalls),
  };
}

function isRedelivery(post: Post, earlier: readonly Post[]): boolean {
  return earlier.some(({ sender, answer }) =>
    sender !== post.sender || (answer !== undefined && answer.status < 300 && answer.atMs < post.sentAtMs)
  );
}

function longestGap(timesMs: readonly number[], fromMs: number, toMs: number): number {
  const marks = [fromMs, ...timesMs.toSorted((a, b) => a - b), toMs];
  return Math.max(...marks.slice(1).map((mark, index) => mark - (marks[index] ?? mark)));
}
