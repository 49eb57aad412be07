// The contestants of `deno task bench:worker`: each a process of its own on the one core that is kept free for it.

import deno from "../../deno.json" with { type: "json" };
import { type Child, startChild } from "../support/process.ts";
import { benchTicket, WARM_UP } from "./bench_ticket.ts";
import { postAll } from "./raw_http.ts";
import { cpuOf } from "./stage.ts";

/** What one run came to. */
export interface Run {
  readonly perSecond: number;
  /** Processor time of the contestant's process, all threads, user and system. */
  readonly cpuMsPerTicket: number;
  readonly statementsPerTicket: number;
  readonly ticketsPerCall: number;
}

/** What all runs have in common. */
export interface Course {
  readonly tickets: number;
  readonly inFlight: number;
  /** Where the LLM that answers at once listens. */
  readonly baseUrl: string;
  readonly databaseUrl: string;
}

const CONTESTANT_CORE = "0";
const OTHERS_CORE = "1";
const [, ...WORKER_TASK] = deno.tasks.worker.split(" ");

/** Moves this process, and with it every child from now on, away from the contestants' core. */
export async function leaveTheCore(): Promise<void> {
  const args = ["-a", "-c", "-p", OTHERS_CORE, String(Deno.pid)];
  const { success } = await new Deno.Command("taskset", { args, stdout: "null" }).output();
  if (!success) throw new Error("taskset could not pin this process: two cores and util-linux are needed");
}

/** The loop that only makes the same call through the same SDK. */
export async function runBare({ tickets, inFlight, baseUrl }: Course): Promise<Run> {
  const args = ["run", "-A", "tests/bench/bare_llm_loop.ts", baseUrl, String(inFlight), String(tickets)];
  await using child = contestant("bare loop", args);
  const { fields } = await child.waitForLine((line) => line.fields.message === "done", 600_000);
  return {
    perSecond: tickets / (Number(fields.tookMs) / 1000),
    cpuMsPerTicket: Number(fields.cpuMs) / tickets,
    statementsPerTicket: 0,
    ticketsPerCall: 1,
  };
}

/** A worker as its task starts it, asked for `tickets` labels from the id `firstId` on. */
export async function runWorker(course: Course, firstId: number, batch: number): Promise<Run> {
  const { tickets, inFlight } = course;
  await using child = contestant("worker", WORKER_TASK, {
    PORT: "0",
    DATABASE_URL: course.databaseUrl,
    OPENAI_BASE_URL: course.baseUrl,
    WORKER_CONCURRENCY: String(inFlight),
    LLM_BATCH: String(batch),
    LOG_FORMAT: "json",
  });
  const { fields } = await child.waitForLine((line) => line.fields.message === "listening");
  const port = Number(fields.port);
  const request = (at: number) => ({
    body: JSON.stringify({ ticket_id: firstId + at, ...benchTicket(at) }),
    headers: `idempotency-key: "support-tickets/0/${firstId + at}"\r\nackpool-timestamp: 1000\r\n`,
  });
  await postAll(port, "/classify", inFlight, WARM_UP, request);
  const before = { ...await countersOf(port), cpuMs: await cpuOf(child.pid), atMs: performance.now() };
  const statuses = await postAll(port, "/classify", inFlight, tickets, (at) => request(WARM_UP + at));
  const tookMs = performance.now() - before.atMs;
  if (statuses.get("200") !== tickets) throw new Error(`Statuses were ${JSON.stringify([...statuses])}`);
  const cpuMs = await cpuOf(child.pid) - before.cpuMs;
  const { statements, calls } = await countersOf(port);
  return {
    perSecond: tickets / (tookMs / 1000),
    cpuMsPerTicket: cpuMs / tickets,
    statementsPerTicket: (statements - before.statements) / tickets,
    ticketsPerCall: tickets / (calls - before.calls),
  };
}

function contestant(name: string, args: readonly string[], env: Record<string, string> = {}): Child {
  return startChild({
    name,
    command: "taskset",
    args: ["-c", CONTESTANT_CORE, Deno.execPath(), ...args],
    env,
    linesMax: 1_000,
  });
}

async function countersOf(port: number): Promise<{ readonly statements: number; readonly calls: number }> {
  const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  return {
    statements: Number(/^ackpool_worker_db_statements_total (\d+)/m.exec(metrics)?.[1]),
    calls: Number(/^ackpool_worker_llm_calls_total\{result="completed"\} (\d+)/m.exec(metrics)?.[1]),
  };
}
