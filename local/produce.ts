// `deno task produce`: sends tickets from a file to the topic, and with `--insert` their rows to Postgres.

import process from "node:process";
import { TopicProducer } from "../consumer/kafka/producers/topic_producer.ts";
import { TopicProgress } from "./produce/topic_progress.ts";
import { refusalLine, refusalOf } from "../consumer/kafka/client/refusals.ts";
import type { Environment } from "../shared/config/read.ts";
import { UsageError } from "../shared/process/command_line.ts";
import { EXIT, runMain } from "../shared/process/main.ts";
import { StartError } from "../shared/process/start_error.ts";
import { onStopSignal } from "../shared/process/stop_signals.ts";
import { type KafkaTarget, kafkaTarget } from "./produce/kafka_target.ts";
import { parseProduceArguments, PRODUCE, type ProduceArguments } from "./produce/arguments.ts";
import { homeFolder } from "./project.ts";
import { readRun, type Run } from "../shared/run_file.ts";
import { sampleTickets } from "./produce/samples.ts";
import { currentLabelVersion } from "./produce/label_version.ts";
import { progressText, type Share, summaryText } from "./produce/progress_text.ts";
import { standardTerminal, type Terminal } from "./terminal.ts";
import { type SendSummary, sendTickets, type TicketSenderPorts } from "./produce/ticket_sender.ts";
import { checkTicket } from "./produce/tickets/ticket_line.ts";
import { openTickets, type TicketFile } from "./produce/tickets/ticket_file.ts";
import type { AskedColumns } from "./produce/tickets/ticket_columns.ts";
import { TicketRows } from "./produce/ticket_rows.ts";
import { Backpressure } from "./produce/backpressure.ts";

/** So many bad lines are shown, all are counted. */
const BAD_SHOWN_MAX = 20;
const env = (name: string) => Deno.env.get(name);

async function main(): Promise<number> {
  const args = parseProduceArguments(Deno.args);
  // kafkajs makes Node.js warn about a negative timer, which means nothing to anybody.
  process.removeAllListeners("warning");
  const run = await readRun(homeFolder(args.home, Deno.cwd()));
  const target = kafkaTarget(env, run);
  if (target === undefined) {
    throw new StartError(
      "No Kafka to put tickets into: run `deno task start` beside this, or set KAFKA_BROKERS.",
    );
  }
  const rows = openRows(args, run);
  using screen = standardTerminal(Deno.stderr);
  const startedMs = performance.now();
  try {
    const tickets = await openInput(args, rows);
    const summary = await produce(
      target,
      args.unlabelled ? undefined : rows,
      tickets,
      screen,
    );
    screen.done("produce");
    const tookMs = Math.round(performance.now() - startedMs);
    print(summaryText({ ...summary, total: tickets.total, topic: target.topic, tookMs }, args.json));
    return stopping.aborted ? EXIT.interrupted : summary.bad > 0 ? EXIT.failed : EXIT.ok;
  } finally {
    await rows?.close();
  }
}

const interruption = new AbortController();
const stopping = interruption.signal;

/** Samples bring their rows into the embedded Postgres; otherwise rows are written only where `--insert` says so. */
function openRows(
  { file, insert, unlabelled }: ProduceArguments,
  run: Run | undefined,
): TicketRows | undefined {
  const own = env("DATABASE_URL")?.trim();
  const url = own || run?.databaseUrl;
  if ((insert || unlabelled) && !url) {
    throw new StartError(
      `${insert ? "--insert" : "--unlabelled"} needs a database: ${
        run === undefined ? "run `deno task start` beside this, or " : "the start beside this uses yours, so "
      }set DATABASE_URL.`,
    );
  }
  return url && (insert || unlabelled || (file === undefined && !own))
    ? TicketRows.at(url, tableNames(run))
    : undefined;
}

/** The table of the environment, else that of the `start` beside this. */
function tableNames(run: Run | undefined): Environment {
  const ofStart: Readonly<Record<string, string | undefined>> = {
    TICKETS_TABLE: run?.ticketsTable,
    TICKETS_COLUMNS: run?.ticketsColumns,
  };
  return (name) => env(name)?.trim() || ofStart[name];
}

async function openInput(
  { file, columns, unlabelled, outdated }: ProduceArguments,
  rows: TicketRows | undefined,
): Promise<TicketFile> {
  if (file !== undefined) return await openFile(file, columns);
  if (unlabelled && rows !== undefined) {
    return await openUnlabelled(rows, outdated ? await currentLabelVersion(env) : undefined);
  }
  const samples = await sampleTickets(await rows?.nextId().catch(databaseFailed));
  const lines = (async function* () {
    yield* samples;
  })();
  return { lines, total: samples.length, progress: () => undefined };
}

async function openUnlabelled(rows: TicketRows, version: string | undefined): Promise<TicketFile> {
  const total = await rows.countUnlabelled(version).catch(databaseFailed);
  const lines = (async function* () {
    let line = 0;
    for await (const { id, ...text } of rows.unlabelled(version)) {
      yield checkTicket(++line, { ticket_id: id, ...text });
    }
  })();
  return { lines, total, progress: () => undefined };
}

async function openFile(path: string, columns: AskedColumns): Promise<TicketFile> {
  try {
    return await openTickets(path, columns);
  } catch (error) {
    if (error instanceof UsageError || error instanceof StartError) throw error;
    throw new StartError(`${path} cannot be read: ${(error as Error).message}`);
  }
}

async function produce(
  target: KafkaTarget,
  rows: TicketRows | undefined,
  tickets: TicketFile,
  screen: Terminal,
): Promise<SendSummary> {
  const producer = new TopicProducer(target.kafka, target.topic);
  const progress = new TopicProgress(target.kafka, target.topic, target.groupId);
  const room = new Backpressure(
    progress,
    (unread) => screen.drawing("produce", `waiting for the consumer, ${unread} tickets are unread`),
    stopping,
  );
  await connect(target, producer, room);
  const startedMs = performance.now();
  let bad = 0;
  const ports: TicketSenderPorts = {
    room: target.embedded ? (bytes) => room.wait(bytes) : () => Promise.resolve(),
    send: async (records) => {
      await producer.send(records);
      if (target.embedded) await room.sent(sizeOf(records));
    },
    ...(rows === undefined ? {} : { insert: (some) => rows.insert(some).catch(databaseFailed) }),
    onProgress: (summary) =>
      screen.drawing(
        "produce",
        progressText(summary, shareOf(summary, tickets), performance.now() - startedMs),
      ),
    onBad: (line, problem) => ++bad <= BAD_SHOWN_MAX && screen.line(`line ${line}: ${problem}`),
    signal: stopping,
  };
  let sent = 0;
  const onProgress = (summary: SendSummary) => {
    sent = summary.sent;
    ports.onProgress(summary);
  };
  try {
    const summary = await sendTickets(tickets.lines, { ...ports, onProgress });
    if (bad > BAD_SHOWN_MAX) screen.line(`and ${bad - BAD_SHOWN_MAX} more`);
    return summary;
  } catch (error) {
    if (!(error instanceof Error && error.name.startsWith("KafkaJS"))) throw error;
    throw new StartError(
      `Kafka at ${target.brokers.join(", ")} went away after ${sent} tickets were sent: ${error.message}`,
    );
  } finally {
    await Promise.all([producer.close(), progress.close()]);
  }
}

async function connect(
  { brokers, embedded }: KafkaTarget,
  producer: TopicProducer,
  room: Backpressure,
): Promise<void> {
  try {
    await producer.connect();
    if (!embedded) return;
    await room.begin();
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal !== undefined) throw new StartError(refusalLine(refusal));
    throw new StartError(`Kafka at ${brokers.join(", ")} cannot be used: ${(error as Error).message}`);
  }
}

function databaseFailed(error: unknown): never {
  throw new StartError(`The table tickets cannot be used: ${error instanceof Error ? error.message : error}`);
}

/** How far it is: by the tickets where they were counted, else by the bytes. */
function shareOf({ sent, bad }: SendSummary, { total, progress }: TicketFile): Share | undefined {
  if (total !== undefined) return { share: total === 0 ? 1 : Math.min(1, (sent + bad) / total), total };
  const share = progress();
  return share === undefined ? undefined : { share };
}

function sizeOf(records: readonly { readonly value: string }[]): number {
  const encoder = new TextEncoder();
  return records.reduce((bytes, { value }) => bytes + encoder.encode(value).length + 100, 0);
}

function print(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text));
}

if (import.meta.main) {
  onStopSignal(() => interruption.abort());
  await runMain(main, PRODUCE);
}
