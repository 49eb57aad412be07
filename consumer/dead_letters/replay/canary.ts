// Canaries: the first replays, watched until the group has settled them, one comes back, or their time is over.

import { decodeOffsetMap } from "../../core/offsets/offset_map.ts";
import type { GroupCommit, OffsetRange } from "../../records/log_access.ts";
import { toDeadLetter } from "../letter.ts";
import type { DeadLetterPorts } from "../ports.ts";
import { causeText } from "../../records/letter_cause.ts";
import { recordPosition } from "../../records/position.ts";

/** One replay, in the retry topic. */
export interface Sent {
  /** The dead letter it was, as `topic/partition/offset`. */
  readonly from: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** What became of the canaries. */
export interface CanaryResult {
  readonly end: "settled" | "came-back" | "timed-out" | "interrupted";
  readonly sent: number;
  readonly settled: number;
  /** The causes of those that came back. */
  readonly cameBack: readonly string[];
  /** Where those lie that are not settled, as `topic/partition/offset` of the retry topic. */
  readonly unsettled: readonly string[];
}

/** Between two looks, in ms. */
const LOOK_EVERY_MS = 500;

/** How long to watch, and where progress is reported. */
export interface Watch {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly settled: (count: number) => void;
}

/** @param before how far the dead-letter topics went when the canaries were sent. */
export async function watchCanaries(
  ports: DeadLetterPorts,
  sent: readonly Sent[],
  before: readonly OffsetRange[],
  watch: Watch,
): Promise<CanaryResult> {
  const untilMs = ports.nowMs() + watch.timeoutMs;
  for (;;) {
    const unsettled = await unsettledOf(ports, sent);
    const settled = sent.length - unsettled.length;
    watch.settled(settled);
    // A dead letter is confirmed before its record is committed, so it can be seen by now.
    const cameBack = await comeBacks(ports, sent, before, watch.signal);
    const result = { sent: sent.length, settled, cameBack, unsettled: unsettled.map(recordPosition) };
    if (cameBack.length > 0) return { ...result, end: "came-back" };
    if (settled === sent.length) return { ...result, end: "settled" };
    if (watch.signal.aborted) return { ...result, end: "interrupted" };
    if (ports.nowMs() >= untilMs) return { ...result, end: "timed-out" };
    await ports.pause(LOOK_EVERY_MS, watch.signal);
  }
}

/** Which offsets a group's commit covers: those below the watermark, and those in the offset map. */
export function settledBy({ offset: watermark, metadata }: GroupCommit): (offset: number) => boolean {
  if (watermark === undefined) return () => false;
  const decoded = decodeOffsetMap(metadata, watermark);
  const runs = decoded.kind === "map" ? decoded.map.settled : [];
  return (offset) => offset < watermark || runs.some(([first, last]) => first <= offset && offset <= last);
}

async function unsettledOf(
  { offsets, groupId }: DeadLetterPorts,
  sent: readonly Sent[],
): Promise<readonly Sent[]> {
  const unsettled: Sent[] = [];
  for (const [topic, replays] of Map.groupBy(sent, (each) => each.topic)) {
    const commits = await offsets.committed(groupId, topic);
    const covers = new Map(commits.map((each) => [each.partition, settledBy(each)]));
    unsettled.push(...replays.filter(({ partition, offset }) => !covers.get(partition)?.(offset)));
  }
  return unsettled;
}

async function comeBacks(
  ports: DeadLetterPorts,
  sent: readonly Sent[],
  before: readonly OffsetRange[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const ours = new Set(sent.map(({ from }) => from));
  const topics = [...new Set(before.map(({ topic }) => topic))];
  const now = (await Promise.all(topics.map((topic) => ports.offsets.ranges(topic)))).flat();
  const fresh = now.map((range) => {
    const old = before.find(({ topic, partition }) => topic === range.topic && partition === range.partition);
    return { ...range, from: Math.max(range.from, old?.to ?? 0) };
  });
  const causes: string[] = [];
  if (signal.aborted) return causes;
  await (await ports.reader()).read(fresh, (records) => {
    for (const record of records) {
      const { replayedFrom, cause } = toDeadLetter(record);
      if (replayedFrom !== undefined && ours.has(replayedFrom)) causes.push(causeText(cause));
    }
  });
  return causes;
}
