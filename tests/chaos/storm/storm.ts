// The storm: tickets flow through a whole deployment while a seeded schedule breaks one thing after another; all that
// happens is kept as a history, and the checker reads it.

import { Kafka, logLevel, type Producer } from "kafkajs";
import postgres from "postgres";
import { parseIdempotencyKey } from "../../../shared/contract/protocol.ts";
import { readCommitted, readRecords } from "../../support/kafka/read_committed.ts";
import { until } from "../../support/until.ts";
import { checkHistory, type Verdict } from "../history/checker.ts";
import type { HistoryEvent, Place } from "../history/events.ts";
import { Offsets } from "../stage/offsets.ts";
import { injectFault } from "./faults.ts";
import { type FaultKind, scheduleOf } from "./schedule.ts";
import { type StageOptions, StormStage } from "./stage.ts";

/** How long and how hard it blows. */
export interface StormOptions extends StageOptions {
  readonly tickets: number;
  readonly seed: number;
  readonly faults: number;
  readonly kinds: readonly FaultKind[];
  /** Records a second that are produced at most. */
  readonly perSecond: number;
}

/** The default taxonomy. */
const TAXONOMY = ["billing", "bug", "feature_request", "account", "other"];
const CHUNK = 100;
/** Every so many-th ticket has a second event, which a moment later changes its text. */
const SECOND_EVENT_EVERY = 10;
const STANDSTILL_MAX_MS = 180_000;
const STALL_GOAL_MS = 30_000;
const CONSUMERS = 2;

/** Runs a storm to its end: everything committed, everything stopped. */
export async function runStorm(
  options: StormOptions,
): Promise<{ history: HistoryEvent[]; verdict: Verdict }> {
  await using stage = await StormStage.start(options);
  await using offsets = await Offsets.connect(stage.kafka.brokers);
  await offsets.createTopic(stage.topic, options.partitions);
  const sql = postgres(stage.database.url, { max: 2, onnotice: () => {} });
  const history: HistoryEvent[] = [];
  try {
    await watchRows(sql);
    await Promise.all(Array.from({ length: CONSUMERS }, () => stage.addConsumer()));
    const stop = new AbortController();
    const commits = pollCommits(offsets, stage, history, stop.signal);
    const begun = { faults: 0 };
    await Promise.all([feed(stage, options, begun), blow(stage, options, history, begun)]);
    options.report("the storm is over: waiting for the rest");
    await settledToTheEnd(stage, offsets).finally(() => stop.abort());
    await commits;
    for (const consumer of [...stage.consumers]) await stage.removeConsumer(consumer, "SIGTERM");
    history.push(...await collect(stage, sql));
  } finally {
    await sql.end();
  }
  const expected = { taxonomy: TAXONOMY, ordered: options.mode === "key", stallMaxMs: STALL_GOAL_MS };
  return { history, verdict: checkHistory(history, expected) };
}

/** Breaks one thing after another, each when its share of the tickets is settled. */
async function blow(
  stage: StormStage,
  options: StormOptions,
  history: HistoryEvent[],
  begun: { faults: number },
): Promise<void> {
  for (const fault of scheduleOf(options.seed, options.faults, options.kinds)) {
    const settled = Math.floor(options.tickets * fault.atShare);
    await until(`${settled} settled records`, () => stage.journal.settled.size >= settled, {
      timeoutMs: STANDSTILL_MAX_MS,
      everyMs: 50,
    }).catch((error) => {
      throw new Error(`${error.message}\n${stage.diagnosis()}`);
    });
    options.report(`${stage.journal.settled.size} settled; ${fault.kind}`);
    history.push({ type: "fault", at: Date.now(), kind: fault.kind, target: "" });
    begun.faults++;
    const target = await injectFault(stage, fault);
    history.push({ type: "mended", at: Date.now(), kind: fault.kind, target });
  }
}

/**
 * Inserts rows and produces their records, some of which come twice with another text. Never further than the share of
 * the next fault, so that every fault meets records that are under way.
 */
async function feed(
  stage: StormStage,
  options: StormOptions,
  begun: { readonly faults: number },
): Promise<void> {
  const { tickets, partitions, perSecond, faults } = options;
  const sql = postgres(stage.database.url, { max: 1, onnotice: () => {} });
  const producer = new Kafka({
    brokers: stage.kafka.brokers.split(","),
    logLevel: logLevel.NOTHING,
    retry: { retries: 1_000, maxRetryTime: 1_000 },
  }).producer({ idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  const startedMs = performance.now();
  try {
    for (let from = 1; from <= tickets; from += CHUNK) {
      await until("the next fault", () => from <= tickets * (begun.faults + 1) / (faults + 1), {
        timeoutMs: STANDSTILL_MAX_MS,
        everyMs: 50,
      });
      const ids = Array.from({ length: Math.min(CHUNK, tickets - from + 1) }, (_, index) => from + index);
      await persist(() =>
        sql`
        insert into tickets ${sql(ids.map((id) => ({ id, subject: `Ticket ${id}`, body: textOf(id, 1) })))}
        on conflict (id) do nothing`
      );
      await produce(producer, stage.topic, ids.map((id) => record(id, 1, partitions)));
      const again = ids.filter((id) => id % SECOND_EVENT_EVERY === 0);
      if (again.length > 0) {
        await produce(
          producer,
          stage.topic,
          again.map((id) => record(id, 2, partitions)),
        );
      }
      const aheadMs = (from + CHUNK) / perSecond * 1000 - (performance.now() - startedMs);
      if (aheadMs > 0) await new Promise((resolve) => setTimeout(resolve, aheadMs));
    }
  } finally {
    await Promise.all([producer.disconnect(), sql.end()]);
  }
}

async function produce(
  producer: Producer,
  topic: string,
  messages: ReturnType<typeof record>[],
): Promise<void> {
  await persist(() => producer.send({ topic, acks: -1, messages }));
}

/** Again until it works: database and brokers are away now and then. */
async function persist(work: () => PromiseLike<unknown>): Promise<void> {
  await until("a write that works", async () => {
    await work();
    return true;
  }, { timeoutMs: STANDSTILL_MAX_MS, everyMs: 200 });
}

function textOf(id: number, version: number): string {
  const concerns = ["My card was charged twice", "The export fails with an error", "Please add dark mode"];
  return `${concerns[(id + version) % concerns.length]} (${version})`;
}

function record(id: number, version: number, partitions: number) {
  const value = JSON.stringify({ ticket_id: id, subject: `Ticket ${id}`, body: textOf(id, version) });
  return { key: String(id), value, partition: id % partitions };
}

/** Keeps every version of every label with the event it was written for. */
async function watchRows(sql: postgres.Sql): Promise<void> {
  await sql.unsafe(`
    create table public.row_versions (at timestamptz, ticket text, category text, topic text, partition int, record_offset bigint);
    create function public.keep_version() returns trigger language plpgsql as $$ begin
      insert into public.row_versions values
        (clock_timestamp(), new.ticket_id, new.category, new.topic, new.partition, new.record_offset);
      return new;
    end $$;
    create trigger keep_inserted after insert on ackpool.fences
      for each row when (new.category is not null) execute function public.keep_version();
    create trigger keep_updated after update on ackpool.fences for each row when (new.category is not null and
      (new.category, new.topic, new.partition, new.record_offset)
        is distinct from (old.category, old.topic, old.partition, old.record_offset))
      execute function public.keep_version();`);
}

async function pollCommits(
  offsets: Offsets,
  { topic, groupId }: StormStage,
  history: HistoryEvent[],
  stopped: AbortSignal,
): Promise<void> {
  while (!stopped.aborted) {
    const committed = await offsets.committed(topic, groupId).catch(() => undefined);
    const at = Date.now();
    for (const [partition, { offset, settled }] of committed ?? []) {
      history.push({ type: "committed", at, topic, partition, offset, settledAbove: settled });
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

async function settledToTheEnd(stage: StormStage, offsets: Offsets): Promise<void> {
  const isZero = () => offsets.lag(stage.topic, stage.groupId).then((lag) => lag === 0, () => false);
  await until("a lag of 0", isZero, { timeoutMs: STANDSTILL_MAX_MS, everyMs: 500 }).catch((error) => {
    throw new Error(`${error.message}\n${stage.diagnosis()}`);
  });
}

async function collect(stage: StormStage, sql: postgres.Sql): Promise<HistoryEvent[]> {
  const [records, letters, rows, unlabelled] = await Promise.all([
    readRecords(stage.kafka.brokers, stage.topic),
    readCommitted(stage.kafka.brokers, `${stage.topic}.${stage.groupId}.dlq`).catch(() => []),
    sql`select extract(epoch from at) * 1000 as at, ticket, category, topic, partition, record_offset
      from public.row_versions`,
    sql`select id::text from tickets where category is null`,
  ]);
  const without = new Set(unlabelled.map(({ id }) => String(id)));
  return [
    ...records.map(({ partition, offset, timestampMs, value }): HistoryEvent => ({
      type: "produced",
      at: timestampMs,
      place: { topic: stage.topic, partition, offset },
      ticket: String(JSON.parse(new TextDecoder().decode(value ?? undefined)).ticket_id),
    })),
    ...letters.map(({ headers }): HistoryEvent => ({
      type: "dead_letter",
      at: Date.parse(headers["ackpool-dead-lettered-at"] ?? "") || 0,
      place: {
        topic: headers["ackpool-origin-topic"] ?? "",
        partition: Number(headers["ackpool-origin-partition"]),
        offset: Number(headers["ackpool-origin-offset"]),
      },
    })),
    ...rows.filter(({ ticket }) => !without.has(ticket)).map((row): HistoryEvent => ({
      type: "row",
      at: Number(row["at"]),
      ticket: String(row["ticket"]),
      category: String(row["category"]),
      ...row["topic"] === null ? {} : {
        place: {
          topic: String(row["topic"]),
          partition: Number(row["partition"]),
          offset: Number(row["record_offset"]),
        },
      },
    })),
    ...stage.model.calls.map((call): HistoryEvent => ({ type: "asked", ...call })),
    ...stage.journal.posts.flatMap(({ key, sender, sentAtMs, answer, lostAtMs }): HistoryEvent[] => {
      const place = placeOf(key);
      const ended = answer?.atMs ?? lostAtMs;
      return [
        { type: "sent", at: sentAtMs, place, sender },
        ...ended === undefined
          ? []
          : [{ type: "answered" as const, at: ended, place, status: answer?.status ?? 0 }],
      ];
    }),
  ];
}

function placeOf(key: string): Place {
  const position = parseIdempotencyKey(key);
  if (position === undefined) throw new Error(`not a record's key: ${key}`);
  return { topic: position.topic, partition: position.partition, offset: Number(position.offset) };
}
