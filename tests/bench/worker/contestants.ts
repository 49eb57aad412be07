// The contestants of `deno task bench:worker`: each a process of its own, all on the one core that is kept free for
// them, and only one at work at a time.

import deno from "../../../deno.json" with { type: "json" };
import { commandOf } from "../../../shared/deno_task.ts";
import { type Child, startChild } from "../../support/processes/process.ts";
import { benchTicket } from "./bench_ticket.ts";
import { postAll } from "../raw_http.ts";
import { cpuOf } from "../stage.ts";

/** What one heat came to. */
export interface Heat {
  readonly tickets: number;
  readonly tookMs: number;
  /** Processor time of the contestant's process, all threads, user and system. */
  readonly cpuMs: number;
  readonly statements: number;
  readonly calls: number;
}

/** Somebody who can be asked for labels again and again. */
export interface Contestant extends AsyncDisposable {
  readonly run: (tickets: number) => Promise<Heat>;
}

/** What all contestants have in common. */
export interface Course {
  readonly inFlight: number;
  /** Where the LLM that answers at once listens. */
  readonly baseUrl: string;
  readonly databaseUrl: string;
}

const CONTESTANTS_CORE = "0";
const OTHERS_CORE = "1";
const [, ...WORKER_TASK] = commandOf(deno.tasks.worker)?.split(" ") ?? [];

/** Moves this process, and with it every child from now on, away from the contestants' core. */
export async function leaveTheCore(): Promise<void> {
  const args = ["-a", "-c", "-p", OTHERS_CORE, String(Deno.pid)];
  const { success } = await new Deno.Command("taskset", { args, stdout: "null" }).output();
  if (!success) throw new Error("taskset could not pin this process: two cores and util-linux are needed");
}

/** The loop that only makes the same call through the same SDK. */
export async function startBareLoop({ inFlight, baseUrl }: Course): Promise<Contestant> {
  const args = ["run", "-A", "tests/bench/worker/bare_llm_loop.ts", baseUrl, String(inFlight)];
  const { child, port } = await startContestant("bare loop", args);
  return {
    run: async (tickets) => {
      const cpuMs = await cpuOf(child.pid);
      const answer = await fetch(`http://127.0.0.1:${port}/?calls=${tickets}`, { method: "POST" });
      const { tookMs } = await answer.json();
      return { tickets, tookMs, cpuMs: await cpuOf(child.pid) - cpuMs, statements: 0, calls: tickets };
    },
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}

/** A worker as its task starts it, whose tickets are those from the id `firstId` on. */
export async function startWorker(course: Course, firstId: number, batch: number): Promise<Contestant> {
  const { child, port } = await startContestant("worker", WORKER_TASK, {
    PORT: "0",
    DATABASE_URL: course.databaseUrl,
    OPENAI_BASE_URL: course.baseUrl,
    WORKER_CONCURRENCY: String(course.inFlight),
    LLM_BATCH: String(batch),
    LOG_FORMAT: "json",
  });
  const request = (id: number) => ({
    body: JSON.stringify({ ticket_id: id, ...benchTicket(id) }),
    headers: `idempotency-key: "support-tickets/0/${id}"\r\nackpool-timestamp: 1000\r\n`,
  });
  let nextId = firstId;
  return {
    run: async (tickets) => {
      const from = nextId;
      nextId += tickets;
      const before = { ...await countersOf(port), cpuMs: await cpuOf(child.pid), atMs: performance.now() };
      const statuses = await postAll(port, "/classify", course.inFlight, tickets, (at) => request(from + at));
      const tookMs = performance.now() - before.atMs;
      const cpuMs = await cpuOf(child.pid) - before.cpuMs;
      if (statuses.get("200") !== tickets) throw new Error(`Statuses were ${JSON.stringify([...statuses])}`);
      const { statements, calls } = await countersOf(port);
      const counted = { statements: statements - before.statements, calls: calls - before.calls };
      return { tickets, tookMs, cpuMs, ...counted };
    },
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}

async function startContestant(
  name: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<{ readonly child: Child; readonly port: number }> {
  const pinned = ["-c", CONTESTANTS_CORE, Deno.execPath(), ...args];
  const child = startChild({ name, command: "taskset", args: pinned, env, linesMax: 1_000 });
  const { fields } = await child.waitForLine((line) => line.fields.message === "listening");
  return { child, port: Number(fields.port) };
}

async function countersOf(port: number): Promise<{ readonly statements: number; readonly calls: number }> {
  const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  return {
    statements: Number(/^ackpool_worker_db_statements_total (\d+)/m.exec(metrics)?.[1] ?? 0),
    calls: Number(/^ackpool_worker_llm_calls_total\{result="completed"\} (\d+)/m.exec(metrics)?.[1] ?? 0),
  };
}
