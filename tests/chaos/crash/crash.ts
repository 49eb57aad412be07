// The crash campaign: tickets flow, a process is killed with -9 again and again; what was lost, what came twice, why.

import { until } from "../../support/until.ts";
import { type Consumer, Deployment, endCleanly } from "../stage/deployment.ts";
import type { Journal } from "../stage/journal.ts";
import { countLabels } from "../stage/load.ts";
import { isCovered } from "../stage/offsets.ts";

const STANDSTILL_MAX_MS = 60_000;

/** What is killed, how often, and under what load. */
export interface CrashOptions {
  readonly brokers: string;
  readonly databaseUrl: string;
  readonly tickets: number;
  readonly partitions: number;
  readonly kills: number;
  readonly kill: "consumer" | "worker";
  readonly replicas: number;
  readonly concurrency: number;
  readonly latencyMs: number;
  /** Silence after which Kafka gives a killed consumer's partitions away: most of the standstill after each kill. */
  readonly sessionTimeoutMs: number;
  readonly report: (what: string) => void;
}

/** The state of things at one kill. */
export interface KillMoment {
  readonly atMs: number;
  /** Records settled by then. */
  readonly settled: number;
  /** Records sent to what was killed, or by it, without a 2xx so far. */
  readonly inFlight: ReadonlySet<string>;
  /** Records settled that no commit covers: the next owner of the partition cannot know of them. */
  readonly settledSinceCommit: ReadonlySet<string>;
  /** How long before the kill the oldest of those was settled. */
  readonly oldestUncommittedMs: number;
}

/** A kill and what came of it. */
export interface Kill extends KillMoment {
  /** Records sent before the kill and again between it and the next one. */
  readonly sentAgain: ReadonlySet<string>;
}

/** What a campaign measured. */
export interface CrashResult {
  readonly kills: readonly Kill[];
  readonly tickets: number;
  readonly unlabelled: number;
  readonly posts: number;
  /** Tickets by how many POSTs they took. */
  readonly ticketsByPosts: ReadonlyMap<number, number>;
  /** POSTs by how they ended: a status or `no answer`. */
  readonly postsByEnd: ReadonlyMap<string, number>;
  readonly llmCalls: number;
  readonly deadLetters: number;
  readonly seconds: number;
}

/** Runs the campaign to its end: all records committed, everything stopped cleanly. */
export async function runCrashCampaign(options: CrashOptions): Promise<CrashResult> {
  const { tickets, sessionTimeoutMs, report } = options;
  report(`migrating, starting ${options.replicas} replicas, feeding ${tickets} tickets`);
  await using deployment = await Deployment.start({
    ...options,
    consumerEnv: { KAFKA_SESSION_TIMEOUT_MS: String(sessionTimeoutMs) },
  });
  await deployment.feed(tickets);
  const startedMs = performance.now();
  const kills: KillMoment[] = [];
  let consumer = await deployment.startConsumer("consumer 1");
  for (let nth = 1; nth <= options.kills; nth++) {
    await settled(deployment, Math.floor(tickets * nth / (options.kills + 1)));
    report(`killing ${options.kill} with -9 after ${deployment.journal.settled.size} settled tickets`);
    if (options.kill === "consumer") {
      kills.push(await killConsumer(deployment, consumer));
      consumer = await deployment.startConsumer(`consumer ${nth + 1}`);
    } else {
      kills.push(await killReplica(deployment, nth % options.replicas));
      await deployment.startReplica(nth % options.replicas);
    }
  }
  await committedToTheEnd(deployment);
  const seconds = (performance.now() - startedMs) / 1000;
  report("everything is committed: stopping");
  await endCleanly(consumer.process);
  await deployment.stopReplicas();
  return await measure(deployment, kills, seconds);
}

/** Waits until so many tickets are settled; fails with everybody's last words when nothing moves for a minute. */
export async function settled(deployment: Deployment, count: number): Promise<void> {
  const { journal } = deployment;
  while (journal.settled.size < count) {
    const before = journal.settled.size;
    const moved = () => journal.settled.size > before;
    await until("another settled ticket", moved, { timeoutMs: STANDSTILL_MAX_MS, everyMs: 10 }).catch(
      (error) => {
        throw new Error(`${error.message}\n${deployment.diagnosis()}`);
      },
    );
  }
}

/** Waits until the group's committed offsets have reached the end of the log. */
export async function committedToTheEnd(deployment: Deployment): Promise<void> {
  const { offsets, topic, groupId } = deployment;
  await settled(deployment, deployment.tickets);
  const isZero = async () => await offsets.lag(topic, groupId) === 0;
  await until("a lag of 0", isZero, { timeoutMs: STANDSTILL_MAX_MS, everyMs: 250 }).catch((error) => {
    throw new Error(`${error.message}\n${deployment.diagnosis()}`);
  });
}

async function killConsumer(deployment: Deployment, consumer: Consumer): Promise<KillMoment> {
  const { journal, offsets, topic, groupId } = deployment;
  await deployment.killConsumer(consumer);
  const atMs = Date.now();
  const settled = [...journal.settled];
  const inFlight = journal.inFlight();
  const committed = await offsets.committed(topic, groupId);
  const uncovered = settled.filter(([key]) => !isCovered(key, committed));
  return {
    atMs,
    settled: settled.length,
    inFlight,
    settledSinceCommit: new Set(uncovered.map(([key]) => key)),
    oldestUncommittedMs: Math.max(0, ...uncovered.map(([, sinceMs]) => atMs - sinceMs)),
  };
}

async function killReplica(deployment: Deployment, index: number): Promise<KillMoment> {
  const { journal } = deployment;
  await deployment.killReplica(index);
  const lost = journal.posts.filter(({ replica, answer }) => replica === index && answer === undefined);
  const settled = journal.settled.size;
  const inFlight = new Set(lost.map(({ key }) => key).filter((key) => !journal.settled.has(key)));
  return { atMs: Date.now(), settled, inFlight, settledSinceCommit: new Set(), oldestUncommittedMs: 0 };
}

function withConsequences(moment: KillMoment, untilMs: number, { posts }: Journal): Kill {
  const before = new Set(posts.filter(({ sentAtMs }) => sentAtMs <= moment.atMs).map(({ key }) => key));
  const after = posts.filter(({ sentAtMs }) => sentAtMs > moment.atMs && sentAtMs <= untilMs);
  return { ...moment, sentAgain: new Set(after.map(({ key }) => key).filter((key) => before.has(key))) };
}

async function measure(
  deployment: Deployment,
  moments: readonly KillMoment[],
  seconds: number,
): Promise<CrashResult> {
  const { journal } = deployment;
  const byKey = [...journal.postsByKey().values()];
  const nextKill = (index: number) => moments[index + 1]?.atMs ?? Infinity;
  const kills = moments.map((moment, index) => withConsequences(moment, nextKill(index), journal));
  return {
    kills,
    ...await countLabels(deployment.databaseUrl),
    posts: journal.posts.length,
    ticketsByPosts: counted(byKey.map((posts) => posts.length)),
    postsByEnd: counted(journal.posts.map(({ answer }) => String(answer?.status ?? "no answer"))),
    llmCalls: await deployment.llmCalls(),
    deadLetters: await deployment.offsets.count(deployment.deadLetterTopic),
    seconds,
  };
}

function counted<T extends string | number>(values: readonly T[]): Map<T, number> {
  const counts = new Map<T, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return new Map([...counts].sort(([a], [b]) => a < b ? -1 : 1));
}
