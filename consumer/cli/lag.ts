// `deno task lag`: how far the group is behind, once or again and again.

import { type Environment, logConfig } from "../../shared/config/read.ts";
import { configureLogs } from "../../shared/log.ts";
import { parseFlags } from "../../shared/process/command_line.ts";
import { EXIT, runMain } from "../../shared/process/main.ts";
import { StartError } from "../../shared/process/start_error.ts";
import { onStopSignal } from "../../shared/process/stop_signals.ts";
import type { HeldRecord } from "../records/held_record.ts";
import type { WhyJson } from "../core/why/why.ts";
import { printable } from "../../shared/printable.ts";
import { recordPosition } from "../records/position.ts";
import { AdminClient } from "./admin_client.ts";
import { heldAsText } from "./dlq_text.ts";
import { LAG } from "./lag_arguments.ts";
import { clearScreen, print, printError } from "./terminal.ts";
import { textTable } from "../../shared/text_table.ts";
import type { ConsumerConfig } from "../config.ts";
import { GroupOffsets } from "../kafka/readers/group_offsets.ts";
import { type PartitionLag, readLag } from "../kafka/readers/lag.ts";
import { pause } from "../../shared/wait.ts";
import { deadLetterTopicOf, retryTopicOf, sidesOf } from "../records/topic_names.ts";
import { describeTopics, selectTopics } from "../kafka/topics/topic_selection.ts";
import { TopicReader } from "../kafka/readers/topic_reader.ts";
import { connectKafka, environmentOf, toStartError } from "./kafka_connection.ts";

/** So many partitions' heads are asked for. */
const HEADS_MAX = 20;
/** Of each partition only the first record is looked at. */
const FIRST_RECORD_BYTES = 16_384;
const WATCH_EVERY_MS = 2000;

async function main(): Promise<number> {
  const env = (name: string) => Deno.env.get(name);
  configureLogs({ ...logConfig(env, Deno.stdout.isTerminal()), level: "error" });
  const options = readArguments();
  const stopping = new AbortController();
  onStopSignal(() => stopping.abort(new StartError("Stopped.")));
  return await run(env, options, stopping.signal);
}

type Options = ReturnType<typeof readArguments>;

function readArguments() {
  return parseFlags({ args: Deno.args, options: LAG.options }).values;
}

async function run(env: Environment, { watch, json }: Options, signal: AbortSignal): Promise<number> {
  const found = await environmentOf(env);
  const { kafka, config } = connectKafka(found, "ackpool-lag");
  const client = new AdminClient(found);
  const offsets = new GroupOffsets(kafka);
  const reader = new TopicReader(kafka, FIRST_RECORD_BYTES);
  try {
    do {
      try {
        const seen = await look(offsets, reader, client, config, signal);
        const text = json ? asJson(config.source.groupId, seen, watch) : asText(config.source.groupId, seen);
        if (watch && !json) clearScreen();
        print(text);
      } catch (error) {
        const told = toStartError(error as Error);
        if (signal.aborted || !watch || told === error) throw told;
        // With --watch the brokers may come back.
        printError(told.message);
      }
      if (watch) await pause(WATCH_EVERY_MS, signal);
    } while (watch && !signal.aborted);
    return EXIT.ok;
  } catch (error) {
    if (signal.aborted) return EXIT.ok;
    throw error;
  } finally {
    await Promise.all([reader.close(), offsets.close()]);
  }
}

async function look(
  offsets: GroupOffsets,
  reader: TopicReader,
  client: AdminClient,
  config: ConsumerConfig,
  signal: AbortSignal,
): Promise<Seen> {
  const { source: { groupId, reset }, deadLetterTopic, retryTopic } = config;
  const { topics, sources, existing } = await topicsOf(offsets, config);
  const notes: string[] = [];
  for (const topic of sources) {
    const sides = [
      deadLetterTopicOf(topic, groupId, deadLetterTopic),
      retryTopicOf(topic, groupId, retryTopic),
    ].filter((side) => existing.includes(side));
    notes.push(...await offsets.weaknesses(topic, sides));
  }
  const rows = await readLag(offsets, reader, { groupId, topics, reset }, Date.now(), signal);
  for (const topic of topics) {
    const missing = await offsets.partitions(topic) - rows.filter((row) => row.topic === topic).length;
    if (missing > 0) notes.push(`${missing} partitions of ${topic} have no leader and are not counted`);
  }
  const [heads, why] = await Promise.all([headsOf(rows, client), heldUpBy(client, groupId)]);
  return { rows, notes, heads, why };
}

/** What a consumer of this group that is asked says it is held up by; undefined where it goes on, or none answers. */
async function heldUpBy(client: AdminClient, groupId: string): Promise<WhyJson | undefined> {
  const answers = (await client.all("/why")).flatMap((asked) =>
    asked.kind === "done" ? [asked.body as unknown as WhyJson] : []
  );
  return answers.find(({ group, state }) => group === groupId && state === "held-up");
}

/** The records that hold partitions up: at the committed offset, tried more than once and not settled. */
async function headsOf(rows: readonly PartitionLag[], client: AdminClient): Promise<readonly Head[]> {
  const behind = rows.filter(({ lag }) => lag > 0).slice(0, HEADS_MAX);
  const heads = await Promise.all(behind.map(async ({ topic, partition, currentOffset, oldestAgeMs }) => {
    const at = recordPosition({ topic, partition, offset: currentOffset ?? 0 });
    return { at, oldestAgeMs, held: await client.record(at) };
  }));
  return heads.flatMap(({ held, ...head }) =>
    held === undefined || held.posts < 2 ? [] : [{ ...head, held }]
  );
}

/** What is shown. */
interface Seen {
  readonly rows: readonly PartitionLag[];
  /** What an operator should know besides. */
  readonly notes: readonly string[];
  readonly heads: readonly Head[];
  /** What holds delivery up, in a consumer's own words. */
  readonly why: WhyJson | undefined;
}

/** A record that holds its partition up. */
interface Head {
  /** `topic/partition/offset`. */
  readonly at: string;
  /** Since its own timestamp, in ms; null where it has none. */
  readonly oldestAgeMs: number | null;
  readonly held: HeldRecord;
}

/** The topics that the group reads, as far as they are there. */
async function topicsOf(offsets: GroupOffsets, config: ConsumerConfig): Promise<{
  readonly topics: readonly string[];
  /** Those that are no retry topics. */
  readonly sources: readonly string[];
  readonly existing: readonly string[];
}> {
  const { source: { topics, groupId }, retryTopic } = config;
  const existing = await offsets.topics();
  const { found } = selectTopics(topics, existing, sidesOf(config));
  if (found.length === 0) {
    // Topics that we may not see are not among those that exist.
    for (const name of topics.names) await offsets.partitions(name);
    throw new StartError(`There is no topic ${describeTopics(topics)}`);
  }
  const retries = found.map((topic) => retryTopicOf(topic, groupId, retryTopic));
  const read = new Set([...found, ...retries.filter((topic) => existing.includes(topic))]);
  return { topics: [...read], sources: found, existing };
}

function asText(groupId: string, { rows, notes, heads, why }: Seen): string {
  const table = textTable([
    ["GROUP", "TOPIC", "PARTITION", "CURRENT-OFFSET", "LOG-END-OFFSET", "LAG", "SETTLED-AHEAD", "OLDEST-AGE"],
    ...rows.map((row) => [
      groupId,
      row.topic,
      String(row.partition),
      row.currentOffset === null ? "-" : String(row.currentOffset),
      String(row.logEndOffset),
      String(row.lag),
      String(row.settledAhead),
      row.oldestAgeMs === null ? "-" : age(row.oldestAgeMs),
    ]),
  ]);
  const stuck = heads.map(({ at, held, oldestAgeMs }) => {
    const old = oldestAgeMs === null ? "" : `, ${age(oldestAgeMs)} old`;
    return `HEAD ${at}: ${heldAsText(held)}${old}. It can be taken out: deno task dlq take ${at}`;
  });
  const held = why === undefined ? [] : [
    printable(why.sentence),
    ...(why.remedy === null ? [] : [`What to do: ${printable(why.remedy)}`]),
  ];
  return [table, ...held, ...stuck, ...notes.map((note) => `Note: ${note}`)].join("\n");
}

function asJson(groupId: string, { rows, notes, heads, why }: Seen, line: boolean): string {
  const sum = (value: (row: PartitionLag) => number) => rows.reduce((all, row) => all + value(row), 0);
  const report = {
    group: groupId,
    lag: sum(({ lag }) => lag),
    settled_ahead: sum(({ settledAhead }) => settledAhead),
    partitions: rows.map((row) => ({
      topic: row.topic,
      partition: row.partition,
      current_offset: row.currentOffset,
      log_end_offset: row.logEndOffset,
      lag: row.lag,
      settled_ahead: row.settledAhead,
      oldest_age_ms: row.oldestAgeMs,
    })),
    heads: heads.map(({ at, held, oldestAgeMs }) => ({ ...held, at, age_ms: oldestAgeMs })),
    held_up: why === undefined ? null : { cause: why.cause, sentence: why.sentence, remedy: why.remedy },
    notes,
  };
  return line ? JSON.stringify(report) : JSON.stringify(report, null, 2);
}

/** The two largest units that say something. */
function age(ms: number): string {
  const s = Math.floor(ms / 1000);
  if (s < 60) return `${s}s`;
  if (s < 3600) return `${Math.floor(s / 60)}m${s % 60}s`;
  if (s < 86_400) return `${Math.floor(s / 3600)}h${Math.floor(s % 3600 / 60)}m`;
  return `${Math.floor(s / 86_400)}d${Math.floor(s % 86_400 / 3600)}h`;
}

if (import.meta.main) await runMain(main, LAG);
