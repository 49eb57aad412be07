// How each process of `start` is run: its arguments, its environment, and the line that says it is up. Pure.

import type { ChildCommand } from "./child.ts";
import type { ChildLine } from "./child_line.ts";
import { leashed, leashedTask } from "./deno_task.ts";
import { postgresArgs } from "./embedded_postgres.ts";

/** What the local model is called in requests and labels. */
export const LOCAL_MODEL_NAME = "ackpool-local-embeddings";

/** What every child of ours gets: log lines that `start` can read. */
const LOGS = { LOG_FORMAT: "json", LOG_LEVEL: "info" };
// Training reads the examples and keeps its result; the network's weights are in the package.
const MODEL_FLAGS = ["--allow-net", "--allow-read", "--allow-env", "--allow-sys", "--allow-write=.ackpool"];

/** Addresses that parts tell each other. */
export interface Addresses {
  readonly brokers: string;
  readonly databaseUrl: string;
  /** Base URL of the local model; undefined where the provider is the user's own. */
  readonly modelUrl: string | undefined;
  /** Base URLs of the replicas. */
  readonly workers: readonly string[];
}

export function postgresCommand(folder: string, port: number): ChildCommand {
  return { name: "postgres", args: postgresArgs(folder), env: { ...LOGS, PORT: String(port) } };
}

export function modelCommand(port: number): ChildCommand {
  const args = leashed("local/model_main.ts", MODEL_FLAGS);
  return { name: "model", args, env: { ...LOGS, PORT: String(port) } };
}

export function migrateCommand(databaseUrl: string): ChildCommand {
  return { name: "migrate", args: leashedTask("migrate"), env: { ...LOGS, DATABASE_URL: databaseUrl } };
}

export function workerCommand(
  number: number,
  port: number,
  { databaseUrl, modelUrl }: Addresses,
): ChildCommand {
  const model: Record<string, string> = modelUrl === undefined ? {} : {
    OPENAI_BASE_URL: modelUrl,
    OPENAI_API_KEY: "local",
    OPENAI_MODEL: LOCAL_MODEL_NAME,
  };
  const env = { ...LOGS, ...model, PORT: String(port), DATABASE_URL: databaseUrl };
  return { name: `worker ${number}`, args: leashedTask("worker"), env };
}

export function consumerCommand({ brokers, workers }: Addresses): ChildCommand {
  const env = { ...LOGS, KAFKA_BROKERS: brokers, WORKER_URL: workers.join(",") };
  return { name: "consumer", args: leashedTask("consumer"), env };
}

export function ingressCommand({ workers }: Addresses): ChildCommand {
  return {
    name: "ingress",
    args: leashedTask("ingress"),
    env: { ...LOGS, WORKER_URL: workers.join(",") },
  };
}

/** The port of a part that is up: every main file of ours says `listening`. */
export function listeningPort(line: ChildLine): number | undefined {
  if (line.kind !== "event" || line.message !== "listening") return undefined;
  const port = line.properties["port"];
  return typeof port === "number" ? port : undefined;
}

/** A label that a worker has written: `ticket 17 → billing`. */
export function labelIn(line: ChildLine): string | undefined {
  if (line.kind !== "event" || line.message !== "classified") return undefined;
  const { ticket_id: id, category } = line.properties;
  return id === undefined ? undefined : `ticket ${id} → ${category}`;
}
