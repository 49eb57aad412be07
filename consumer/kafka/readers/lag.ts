// readLag(): for each partition how far a group is behind, what it settled ahead, and how old its oldest record is.

import { decodeOffsetMap } from "../../core/offsets/offset_map.ts";
import { partitionId, type TopicPartition } from "../../records/position.ts";
import type { GroupCommit, OffsetRange } from "../../records/log_access.ts";
import type { GroupOffsets } from "./group_offsets.ts";
import type { TopicReader } from "./topic_reader.ts";

/** One partition. */
export interface PartitionLag extends TopicPartition {
  /** What the group has committed; null where it has not yet. */
  readonly currentOffset: number | null;
  /** One past the last record that readers of committed records can see. */
  readonly logEndOffset: number;
  /** Records of the log that are not below the watermark. */
  readonly lag: number;
  /** Records above the watermark that are settled already, as the commit's offset map says. */
  readonly settledAhead: number;
  /** Age of the record at the watermark, in ms; null where nothing is left. */
  readonly oldestAgeMs: number | null;
}

/** What is asked for. */
export interface LagQuestion {
  readonly groupId: string;
  readonly topics: readonly string[];
  /** Where the group starts that has committed nothing. */
  readonly reset: "earliest" | "latest";
}

/** Partition by partition, as things are now. Topics that are not there have none, partitions without a leader no row. */
export async function readLag(
  offsets: Pick<GroupOffsets, "knownRanges" | "committed">,
  reader: Pick<TopicReader, "read">,
  { groupId, topics, reset }: LagQuestion,
  nowMs: number,
  signal?: AbortSignal,
): Promise<readonly PartitionLag[]> {
  const rows: (Omit<PartitionLag, "oldestAgeMs"> & { readonly open: OffsetRange })[] = [];
  for (const topic of topics) {
    const ranges = await offsets.knownRanges(topic);
    const commits = ranges.length === 0 ? [] : await offsets.committed(groupId, topic);
    for (const range of [...ranges].sort((a, b) => a.partition - b.partition)) {
      rows.push(rowOf(range, commits.find(({ partition }) => partition === range.partition), reset));
    }
  }
  const oldest = await firstTimestamps(reader, rows.map(({ open }) => open), signal);
  return rows.map(({ open, ...row }) => {
    const timestampMs = oldest.get(partitionId(open));
    // Producers may leave the timestamp out: then it is -1.
    const known = timestampMs !== undefined && timestampMs >= 0;
    return { ...row, oldestAgeMs: known ? Math.max(0, nowMs - timestampMs) : null };
  });
}

function rowOf(range: OffsetRange, commit: GroupCommit | undefined, reset: LagQuestion["reset"]) {
  const { topic, partition, from: low, to: end } = range;
  const start = commit?.offset ?? (reset === "earliest" ? low : end);
  // What Kafka has deleted meanwhile is behind nobody.
  const from = Math.min(end, Math.max(low, start));
  return {
    topic,
    partition,
    currentOffset: commit?.offset ?? null,
    logEndOffset: end,
    lag: end - from,
    settledAhead: settledAhead(commit),
    open: { topic, partition, from, to: end },
  };
}

function settledAhead(commit: GroupCommit | undefined): number {
  if (commit?.offset === undefined) return 0;
  const decoded = decodeOffsetMap(commit.metadata, commit.offset);
  if (decoded.kind !== "map") return 0;
  return decoded.map.settled.reduce((sum, [first, last]) => sum + last + 1 - first, 0);
}

/** The timestamp of the first record of each range: past gaps and control records there may be none. */
async function firstTimestamps(
  reader: Pick<TopicReader, "read">,
  ranges: readonly OffsetRange[],
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>();
  const open = ranges.filter(({ from, to }) => from < to);
  const enough = new AbortController();
  const signals = signal === undefined ? [enough.signal] : [enough.signal, signal];
  try {
    await reader.read(open, ([first]) => {
      if (first !== undefined && !found.has(partitionId(first))) {
        found.set(partitionId(first), first.timestampMs);
      }
      if (found.size === open.length) enough.abort();
    }, AbortSignal.any(signals));
  } catch (error) {
    if (!enough.signal.aborted) throw error;
  }
  return found;
}
