// `deno task bench:worker`: POST /classify against a bare loop that only makes the same SDK call, side by side, both
// held to one core, on real PostgreSQL and with an LLM that answers at once.

import { parseArgs } from "node:util";
import deno from "../../deno.json" with { type: "json" };
import { migrate, readMigrations } from "../../worker/db/migrate.ts";
import { DEFAULT_TICKETS_TABLE } from "../../worker/db/tickets_table.ts";
import { type Child, startChild } from "../support/process.ts";
import { RealPostgres } from "../support/real_postgres.ts";
import { testDatabase } from "../support/store_harness.ts";
import { benchTicket, WARM_UP } from "./bench_ticket.ts";
import { postAll } from "./raw_http.ts";
import { cpuOf, say } from "./stage.ts";

const { values } = parseArgs({
  options: {
    tickets: { type: "string", default: "20000" },
    rounds: { type: "string", default: "3" },
    "in-flight": { type: "string", default: "256" },
    batch: { type: "string", default: "20" },
  },
});
const TICKETS = Number(values.tickets);
const IN_FLIGHT = Number(values["in-flight"]);
const [, ...WORKER_TASK] = deno.tasks.worker.split(" ");

interface Run {
  readonly perSecond: number;
  readonly cpuMsPerTicket: number;
  readonly statementsPerTicket: number;
}

function onOneCore(name: string, args: readonly string[], env: Record<string, string> = {}): Child {
  return startChild({ name, command: "taskset", args: ["-c", "0", Deno.execPath(), ...args], env });
}

async function bare(baseUrl: string): Promise<Run> {
  const args = ["run", "-A", "tests/bench/bare_llm_loop.ts", baseUrl, String(IN_FLIGHT), String(TICKETS)];
  await using child = onOneCore("bare loop", args);
  const { fields } = await child.waitForLine((line) => line.fields.message === "done", 300_000);
  return {
    perSecond: TICKETS / (Number(fields.tookMs) / 1000),
    cpuMsPerTicket: Number(fields.cpuMs) / TICKETS,
    statementsPerTicket: 0,
  };
}

async function worker(baseUrl: string, databaseUrl: string, firstId: number, batch: number): Promise<Run> {
  await using child = onOneCore("worker", WORKER_TASK, {
    PORT: "0",
    DATABASE_URL: databaseUrl,
    OPENAI_BASE_URL: baseUrl,
    WORKER_CONCURRENCY: String(IN_FLIGHT),
    LLM_BATCH: String(batch),
    LOG_FORMAT: "json",
  });
  const { fields } = await child.waitForLine((line) => line.fields.message === "listening");
  const port = Number(fields.port);
  const request = (at: number) => ({
    body: JSON.stringify({ ticket_id: firstId + at, ...benchTicket(at) }),
    headers: `idempotency-key: "support-tickets/0/${firstId + at}"\r\nackpool-timestamp: 1000\r\n`,
  });
  await postAll(port, "/classify", IN_FLIGHT, WARM_UP, request);
  const statementsBefore = await statementsOf(port);
  const cpuBeforeMs = await cpuOf(child.pid);
  const startMs = performance.now();
  const statuses = await postAll(port, "/classify", IN_FLIGHT, TICKETS, (at) => request(WARM_UP + at));
  const tookMs = performance.now() - startMs;
  if (statuses.get("200") !== TICKETS) throw new Error(`Statuses were ${JSON.stringify([...statuses])}`);
  return {
    perSecond: TICKETS / (tookMs / 1000),
    cpuMsPerTicket: (await cpuOf(child.pid) - cpuBeforeMs) / TICKETS,
    statementsPerTicket: (await statementsOf(port) - statementsBefore) / TICKETS,
  };
}

async function statementsOf(port: number): Promise<number> {
  const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  return Number(/^ackpool_worker_db_statements_total (\d+)/m.exec(metrics)?.[1]);
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? NaN;
}

await using database = await RealPostgres.start();
await using llm = startChild({
  name: "llm",
  command: "taskset",
  args: ["-c", "1", Deno.execPath(), "run", "-A", "tests/bench/instant_llm.ts"],
});
const { fields } = await llm.waitForLine((line) => line.fields.message === "listening");
const baseUrl = `http://127.0.0.1:${fields.port}/v1`;
const admin = testDatabase(database.url, 1);
await migrate(admin, await readMigrations(), DEFAULT_TICKETS_TABLE);
const rows = (TICKETS + WARM_UP) * Number(values.rounds) * 2;
await admin.run(
  "insert into tickets (id, subject, body) select g, 's', 'b' from generate_series(0, $1::int - 1) g",
  [
    rows,
  ],
);
await admin.run("analyze tickets", []);
await admin.close();

const runs: Record<"bare" | "alone" | "batched", Run[]> = { bare: [], alone: [], batched: [] };
for (let round = 0; round < Number(values.rounds); round++) {
  const firstId = round * 2 * (TICKETS + WARM_UP);
  runs.bare.push(await bare(baseUrl));
  runs.alone.push(await worker(baseUrl, database.url, firstId, 1));
  runs.batched.push(await worker(baseUrl, database.url, firstId + TICKETS + WARM_UP, Number(values.batch)));
  for (const [name, [...all]] of Object.entries(runs)) {
    const { perSecond = 0, cpuMsPerTicket = 0, statementsPerTicket = 0 } = all.at(-1) ?? {};
    const rate = `${Math.round(perSecond)} a second, ${cpuMsPerTicket.toFixed(3)} ms CPU`;
    say(
      `round ${round + 1} ${name.padEnd(7)} ${rate}, ${statementsPerTicket.toFixed(3)} statements a ticket`,
    );
  }
}

const middle = (name: keyof typeof runs, pick: (run: Run) => number) => median(runs[name].map(pick));
const rate = (name: keyof typeof runs) => middle(name, (run) => run.perSecond);
const cpu = (name: keyof typeof runs) => middle(name, (run) => run.cpuMsPerTicket);
for (
  const [name, what, goal] of [["alone", "one call a ticket", "0.60"], [
    "batched",
    "LLM_BATCH",
    "2.00",
  ]] as const
) {
  say(
    `${what}: ${(rate(name) / rate("bare")).toFixed(2)} of the bare loop by the clock, ` +
      `${(cpu("bare") / cpu(name)).toFixed(2)} by processor time (goal: at least ${goal}), ` +
      `${middle(name, (run) => run.statementsPerTicket).toFixed(3)} statements a ticket (goal: under 0.500)`,
  );
}
