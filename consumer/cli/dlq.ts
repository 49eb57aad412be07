// `deno task dlq`: lists, shows, replays and drops dead letters from the command line.

import { type Environment, logConfig, readVariables } from "../../shared/config/read.ts";
import { configureLogs } from "../../shared/log.ts";
import { commandsAsStarted, helpText } from "../../shared/process/command_line.ts";
import { EXIT, runMain } from "../../shared/process/main.ts";
import { StartError } from "../../shared/process/start_error.ts";
import { onStopSignal } from "../../shared/process/stop_signals.ts";
import { AdminClient } from "./admin_client.ts";
import { DeadLetterOperations } from "../dead_letter_operations.ts";
import { DLQ, type DlqCommand, parseDlqArguments } from "./dlq_arguments.ts";
import { RetryTopicMissing } from "../dead_letters/replay/retry_records.ts";
import { SecretMissing, Signatures } from "../dead_letters/signatures.ts";
import type { ReplayProgress } from "../dead_letters/replay/request.ts";
import {
  bar,
  dropAsText,
  heldAsText,
  listAsText,
  replayAsText,
  showAsText,
  takenAsText,
} from "./dlq_text.ts";
import { listAsJson, showAsJson } from "../dead_letters/json.ts";
import { ProducerFenced, RecordTooLarge } from "../records/log_access.ts";
import { connectKafka, environmentOf, toStartError } from "./kafka_connection.ts";
import { print, showProgress } from "./terminal.ts";
import { recordPosition } from "../records/position.ts";

/** What is done with dead letters, Kafka alone being asked. */
type KafkaCommand = Exclude<DlqCommand, { name: "take" | "allow" }>;
/** Unsettled canaries that are shown, at most. */
const CANARIES_SHOWN = 3;

type Command<Name extends DlqCommand["name"]> = Extract<DlqCommand, { name: Name }>;

async function main(): Promise<number> {
  const env = (name: string) => Deno.env.get(name);
  // Standard output is the answer's: only errors may break into it.
  configureLogs({ ...logConfig(env, Deno.stdout.isTerminal()), level: "error" });
  const command = parse(env);
  if (command.name === "help") {
    print(commandsAsStarted(helpText(DLQ).trimEnd()));
    return EXIT.ok;
  }
  const stopping = new AbortController();
  onStopSignal(() => stopping.abort(new StartError("Stopped.")));
  const found = await environmentOf(env);
  if (command.name === "take" || command.name === "allow") return await askConsumers(command, found);
  const { kafka, config } = connectKafka(found, "ackpool-dlq");
  const signatures = new Signatures(config.deadLetterSecrets, command.unsigned);
  const operations = new DeadLetterOperations(kafka, config, signatures);
  try {
    return await run(operations, command, new AdminClient(found), stopping.signal);
  } catch (error) {
    throw toPlainError(error as Error);
  } finally {
    await operations.close();
  }
}

function parse(env: Environment): DlqCommand {
  const { DEAD_LETTER_REPLAYS_MAX } = readVariables(["DEAD_LETTER_REPLAYS_MAX"], env);
  return parseDlqArguments(Deno.args, Date.now(), DEAD_LETTER_REPLAYS_MAX);
}

function run(
  operations: DeadLetterOperations,
  command: KafkaCommand,
  client: AdminClient,
  signal: AbortSignal,
): Promise<number> {
  switch (command.name) {
    case "help":
      return Promise.resolve(EXIT.ok);
    case "list":
      return list(operations, command, signal);
    case "show":
      return show(operations, command, signal);
    case "replay":
      return replay(operations, command, client, signal);
    case "drop":
      return drop(operations, command, signal);
    default:
      return command satisfies never;
  }
}

async function list(
  operations: DeadLetterOperations,
  command: Command<"list">,
  signal: AbortSignal,
): Promise<number> {
  const json = listAsJson(await operations.list(command, signal));
  print(command.json ? JSON.stringify(json, null, 2) : listAsText(json));
  return EXIT.ok;
}

async function show(
  operations: DeadLetterOperations,
  { at, json }: Command<"show">,
  signal: AbortSignal,
): Promise<number> {
  const [, topic, partition, offset] = /^(?:([^/]+)\/)?(\d{1,10})\/(\d{1,15})$/.exec(at) ?? [];
  if (partition === undefined) throw new StartError(`${at} is no [TOPIC/]PARTITION/OFFSET`);
  const topics = await operations.topics();
  const only = topic ?? (topics.length === 1 ? topics[0] : undefined);
  if (only === undefined) throw new StartError(`Say which topic: ${topics.join(", ") || "there is none"}`);
  const position = { topic: only, partition: Number(partition), offset: Number(offset) };
  const one = await operations.findOne(position, signal);
  if (one === undefined) throw new StartError(`There is no dead letter at ${recordPosition(position)}`);
  const shown = showAsJson(one.record, one.found);
  print(json ? JSON.stringify(shown, null, 2) : showAsText(shown));
  return EXIT.ok;
}

async function replay(
  operations: DeadLetterOperations,
  { request, json }: Command<"replay">,
  client: AdminClient,
  signal: AbortSignal,
): Promise<number> {
  const summary = await operations.replay(request, progressBar(), signal);
  showProgress("");
  print(json ? JSON.stringify(summary, null, 2) : replayAsText(summary));
  if (!json) {
    for (const place of summary.canary?.unsettled.slice(0, CANARIES_SHOWN) ?? []) await tell(place, client);
  }
  if (summary.end === "interrupted") return EXIT.interrupted;
  return summary.end === "done" || summary.end === "dry-run" ? EXIT.ok : EXIT.failed;
}

/** What a canary that is not settled was answered last, as far as a consumer can be asked. */
async function tell(position: string, client: AdminClient): Promise<void> {
  const held = await client.record(position);
  const about = held === undefined
    ? "none of the consumers that were asked is delivering it: does one run, and is ADMIN_PORT its admin port?"
    : heldAsText(held);
  print(`${position}: ${about}`);
}

async function drop(
  operations: DeadLetterOperations,
  { request, json }: Command<"drop">,
  signal: AbortSignal,
): Promise<number> {
  const summary = await operations.drop(request, signal);
  print(json ? JSON.stringify(summary, null, 2) : dropAsText(summary, request.dryRun));
  return signal.aborted ? EXIT.interrupted : EXIT.ok;
}

/** What only the consumer that has the record, or the flood, can do. */
async function askConsumers(command: Command<"take"> | Command<"allow">, env: Environment): Promise<number> {
  const client = new AdminClient(env, command.admins);
  const asked = command.name === "allow"
    ? await client.post("/dead-letters/allow", { count: command.count })
    : await client.post(`/records/${recordPosition(command)}/dead-letter`, {});
  if (asked.kind === "refused") throw new StartError(asked.answers.join("\n"));
  if (command.name === "allow") {
    print(`${asked.body["allowed"]} more records may be dead-lettered.`);
    return EXIT.ok;
  }
  print(takenAsText(asked.body));
  const isDone = asked.body["result"] !== "given-up" && asked.body["why"] === undefined;
  return isDone ? EXIT.ok : EXIT.failed;
}

/** On a terminal only: a file wants no bar. */
function progressBar(): ReplayProgress {
  if (!Deno.stderr.isTerminal()) return () => {};
  let [phaseNow, startedMs] = ["", performance.now()];
  return (phase, done, total) => {
    if (phase !== phaseNow) [phaseNow, startedMs] = [phase, performance.now()];
    const line = phase === "reading"
      ? "reading the dead-letter topics …"
      : `${phase === "canary" ? "canaries settled " : ""}${bar(done, total, performance.now() - startedMs)}`;
    showProgress(line);
  };
}

function toPlainError(error: Error): Error {
  const isPlain = [ProducerFenced, RecordTooLarge, RetryTopicMissing, SecretMissing].some((kind) =>
    error instanceof kind
  );
  return isPlain ? new StartError(error.message) : toStartError(error);
}

if (import.meta.main) await runMain(main, DLQ);
