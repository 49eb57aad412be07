// What a journal of POSTs says about a phase of the pool campaign: throughput against capacity, and who got what when.

import type { Journal, Post } from "../stage/journal.ts";

/** What a notice may take from the wire into the consumer's next decision on a busy machine. */
const NOTICE_TAKES_MS = 250;

/** The consumer has learned that a replica takes nothing new. */
export interface Notice {
  readonly replica: number;
  readonly atMs: number;
  /** When the replica may have work again. */
  readonly untilMs: number;
}

/** A phase as it was played. */
export interface Phase {
  readonly name: string;
  readonly fromMs: number;
  readonly toMs: number;
  /** Replicas behind the name that nothing befell. */
  readonly healthy: readonly number[];
  readonly notice?: Notice;
  /** From the end of the fault until the replica had all its permits in use. */
  readonly backInMs?: number;
}

/** What came of it. */
export interface PhaseMeasures {
  /** Records settled a second. */
  readonly perSecond: number;
  /** The same against what the healthy replicas can do. */
  readonly share: number;
  /** Part of the time of the healthy replicas' permits in which an attempt was on its way; the rest they stood idle. */
  readonly busy: number;
  /** POSTs that ended in the phase without a 2xx, by how: a status or `no answer`. */
  readonly failed: ReadonlyMap<string, number>;
  /** POSTs that a replica got after its notice; undefined where there was none. */
  readonly afterNotice: number | undefined;
}

/** What a healthy replica can do. */
export interface Capacity {
  readonly permits: number;
  readonly perSecond: number;
}

/** Measures one phase. */
export function measurePhase(
  { posts, settled }: Pick<Journal, "posts" | "settled">,
  phase: Phase,
  replica: Capacity,
): PhaseMeasures {
  const within = (atMs: number) => atMs >= phase.fromMs && atMs < phase.toMs;
  const count = [...settled.values()].filter(within).length;
  const perSecond = count * 1000 / (phase.toMs - phase.fromMs);
  const failed = new Map<string, number>();
  for (const { answer, lostAtMs } of posts) {
    const endMs = answer?.atMs ?? lostAtMs;
    if (endMs === undefined || !within(endMs) || (answer !== undefined && answer.status < 300)) continue;
    const end = String(answer?.status ?? "no answer");
    failed.set(end, (failed.get(end) ?? 0) + 1);
  }
  return {
    perSecond,
    share: perSecond / (phase.healthy.length * replica.perSecond),
    busy: busyMs(posts, phase) / (phase.healthy.length * replica.permits * (phase.toMs - phase.fromMs)),
    failed,
    afterNotice: phase.notice && postsAfter(posts, phase.notice).length,
  };
}

/** Time that attempts were on their way to the healthy replicas, within the phase. */
function busyMs(posts: readonly Post[], { fromMs, toMs, healthy }: Phase): number {
  return posts.filter(({ replica }) => healthy.includes(replica)).reduce((sum, post) => {
    const endMs = post.answer?.atMs ?? post.lostAtMs ?? Infinity;
    return sum + Math.max(0, Math.min(endMs, toMs) - Math.max(post.sentAtMs, fromMs));
  }, 0);
}

/** POSTs that the replica got although the consumer knew that it takes none. */
export function postsAfter(posts: readonly Post[], { replica, atMs, untilMs }: Notice): Post[] {
  return posts.filter((post) =>
    post.replica === replica && post.sentAtMs > atMs + NOTICE_TAKES_MS && post.sentAtMs < untilMs
  );
}

/** POSTs to a replica that began after `sinceMs` and wait for their answer. */
export function openPosts(posts: readonly Post[], replica: number, sinceMs: number): number {
  return posts.filter((post) =>
    post.replica === replica && post.sentAtMs >= sinceMs && post.answer === undefined &&
    post.lostAtMs === undefined
  ).length;
}
