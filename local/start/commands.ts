// The command of each process that `start` runs: arguments, environment, the line that says it is up. Pure.

import { isIP } from "node:net";
import type { ChildCommand } from "../processes/child.ts";
import type { ChildLine } from "../processes/child_output.ts";
import { watchedArgs, watchedTask } from "../processes/deno_task.ts";
import { postgresArgs } from "../embedded/postgres/launch.ts";
import type { WrittenLabel } from "./label_lines.ts";
import { REPLICAS_URL } from "./replicas/dns_records.ts";

/** What the local model is called in requests and labels. */
export const LOCAL_MODEL_NAME = "ackpool-local-embeddings";

/** What listens here is reached from this machine alone. */
const LOOPBACK = "127.0.0.1";
/** What every child of ours gets: log lines that `start` can read. */
const LOGS = { LOG_FORMAT: "json", LOG_LEVEL: "info" };
// Training reads the examples and keeps its result; the network's weights are in the package.
const MODEL_FLAGS = ["--allow-net", "--allow-read", "--allow-env", "--allow-sys", "--allow-write=.ackpool"];

/** Addresses of the parts that others call. */
export interface Addresses {
  readonly brokers: string;
  readonly databaseUrl: string;
  /** Base URL of the local model; undefined where the provider is the user's own. */
  readonly modelUrl: string | undefined;
  /** Where the replicas' name is looked up: `host:port`. */
  readonly dnsServer: string;
  /** The address that consumer and ingress listen on. */
  readonly host: string;
}

export function postgresCommand(folder: string, port: number): ChildCommand {
  return { name: "postgres", args: postgresArgs(folder), env: { ...LOGS, PORT: String(port) } };
}

export function modelCommand(port: number): ChildCommand {
  const args = watchedArgs("local/model/main.ts", MODEL_FLAGS);
  return { name: "model", args, env: { ...LOGS, PORT: String(port) } };
}

/** The embedded table takes ids of any kind; somebody's own database keeps the type it has. */
export function migrateCommand(databaseUrl: string, embedded: boolean): ChildCommand {
  const args = [...watchedTask("migrate"), ...(embedded ? ["--text-ids"] : [])];
  return { name: "migrate", args, env: { ...LOGS, DATABASE_URL: databaseUrl } };
}

/** A replica takes a free port and logs it: only the pools call it. */
export function workerCommand(
  number: number,
  { databaseUrl, modelUrl }: Pick<Addresses, "databaseUrl" | "modelUrl">,
): ChildCommand {
  const model: Record<string, string> = modelUrl === undefined ? {} : {
    OPENAI_BASE_URL: modelUrl,
    OPENAI_API_KEY: "local",
    OPENAI_MODEL: LOCAL_MODEL_NAME,
  };
  const env = { ...LOGS, ...model, LISTEN_ADDRESS: LOOPBACK, PORT: "0", DATABASE_URL: databaseUrl };
  return { name: `worker ${number}`, args: watchedTask("worker"), env };
}

export function consumerCommand(
  { brokers, host, dnsServer }: Pick<Addresses, "brokers" | "host" | "dnsServer">,
): ChildCommand {
  const env = { ...LOGS, ...pool(dnsServer), LISTEN_ADDRESS: host, KAFKA_BROKERS: brokers };
  return { name: "consumer", args: watchedTask("consumer"), env };
}

export function ingressCommand({ host, dnsServer }: Pick<Addresses, "host" | "dnsServer">): ChildCommand {
  const env = { ...LOGS, ...pool(dnsServer), LISTEN_ADDRESS: host };
  return { name: "ingress", args: watchedTask("ingress"), env };
}

function pool(dnsServer: string): Record<string, string> {
  return { WORKER_URL: REPLICAS_URL, WORKER_DNS_SERVER: dnsServer };
}

/** The host of the URL by which this machine reaches something that listens on an address. */
export function reachedAt(host: string): string {
  if (host === "0.0.0.0" || host === "::") return LOOPBACK;
  return isIP(host) === 6 ? `[${host}]` : host;
}

/** The port of a part that is up: each of our programs logs `listening`. */
export function listeningPort(line: ChildLine): number | undefined {
  if (line.kind !== "event" || line.message !== "listening") return undefined;
  const port = line.properties["port"];
  return typeof port === "number" ? port : undefined;
}

/** Log messages of a worker that are not about a request. */
const ABOUT_ITSELF = new Set(["listening", "draining", "stopped"]);

/** Whether a worker has answered a request. */
export function isWork(name: string, line: ChildLine): boolean {
  return name.startsWith("worker ") && line.kind === "event" && !ABOUT_ITSELF.has(line.message);
}

/** A label that a worker has written. */
export function labelIn(line: ChildLine): WrittenLabel | undefined {
  if (line.kind !== "event" || line.message !== "classified") return undefined;
  const { ticket_id: id, category, confidence } = line.properties;
  if (id === undefined) return undefined;
  return {
    ticketId: String(id),
    category: String(category),
    confidence: typeof confidence === "number" ? confidence : undefined,
  };
}
