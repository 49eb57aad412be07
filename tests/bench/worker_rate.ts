// `deno task bench:worker`: POST /classify against a bare loop that only makes the same SDK call, side by side, each with
// a core to itself; real PostgreSQL, an LLM that answers at once and whoever sends the tickets share the other one.

import { parseArgs } from "node:util";
import { migrate, readMigrations } from "../../worker/db/migrate.ts";
import { DEFAULT_TICKETS_TABLE } from "../../worker/db/tickets_table.ts";
import { startChild } from "../support/process.ts";
import { RealPostgres } from "../support/real_postgres.ts";
import { testDatabase } from "../support/store_harness.ts";
import { WARM_UP } from "./bench_ticket.ts";
import { say } from "./stage.ts";
import { type Course, leaveTheCore, type Run, runBare, runWorker } from "./worker_rate_runs.ts";

const { values } = parseArgs({
  options: {
    tickets: { type: "string", default: "20000" },
    rounds: { type: "string", default: "5" },
    "in-flight": { type: "string", default: "256" },
    batch: { type: "string", default: "50" },
  },
});
const TICKETS = Number(values.tickets);
const ROUNDS = Number(values.rounds);
const BATCH = Number(values.batch);

type Contestant = "bare" | "alone" | "batched";
type Round = Readonly<Record<Contestant, Run>>;

async function addTickets(databaseUrl: string, rows: number): Promise<void> {
  const admin = testDatabase(databaseUrl, 1);
  await migrate(admin, await readMigrations(), DEFAULT_TICKETS_TABLE);
  const all =
    "insert into tickets (id, subject, body) select g, 's', 'b' from generate_series(0, $1::int - 1) g";
  await admin.run(all, [rows]);
  await admin.run("analyze tickets", []);
  await admin.close();
}

async function runRound(course: Course, round: number): Promise<Round> {
  const firstId = round * 2 * (TICKETS + WARM_UP);
  const told = (name: Contestant, run: Run): Run => {
    const { perSecond, cpuMsPerTicket, statementsPerTicket, ticketsPerCall } = run;
    say(
      `round ${round + 1} ${name.padEnd(7)} ${Math.round(perSecond)} a second, ${
        cpuMsPerTicket.toFixed(3)
      } ms of processor time a ticket, ${ticketsPerCall.toFixed(1)} tickets a call, ${
        statementsPerTicket.toFixed(3)
      } statements a ticket`,
    );
    return run;
  };
  return {
    bare: told("bare", await runBare(course)),
    alone: told("alone", await runWorker(course, firstId, 1)),
    batched: told("batched", await runWorker(course, firstId + TICKETS + WARM_UP, BATCH)),
  };
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? NaN;
}

/** Each round is compared with itself, because whatever else the machine does changes from one to the next. */
function tellResult(rounds: readonly Round[], name: Contestant, what: string, goal: string): void {
  const share = (of: (round: Round) => number) => {
    const shares = rounds.map(of);
    return `${median(shares).toFixed(2)} (${Math.min(...shares).toFixed(2)} to ${
      Math.max(...shares).toFixed(2)
    })`;
  };
  const byClock = share(({ bare, [name]: run }) => run.perSecond / bare.perSecond);
  const byCpu = share(({ bare, [name]: run }) => bare.cpuMsPerTicket / run.cpuMsPerTicket);
  const statements = median(rounds.map(({ [name]: run }) => run.statementsPerTicket)).toFixed(3);
  say(`${what}, of the bare loop: ${byCpu} by processor time, ${byClock} by the clock; at least ${goal}`);
  say(`  ${statements} statements a ticket; under 0.500`);
}

await leaveTheCore();
await using database = await RealPostgres.start();
await using llm = startChild({
  name: "llm",
  command: Deno.execPath(),
  args: ["run", "-A", "tests/bench/instant_llm.ts"],
});
const { fields } = await llm.waitForLine((line) => line.fields.message === "listening");
const course = {
  tickets: TICKETS,
  inFlight: Number(values["in-flight"]),
  baseUrl: `http://127.0.0.1:${fields.port}/v1`,
  databaseUrl: database.url,
};
await addTickets(database.url, (TICKETS + WARM_UP) * ROUNDS * 2);
const rounds: Round[] = [];
for (let round = 0; round < ROUNDS; round++) rounds.push(await runRound(course, round));
tellResult(rounds, "alone", "one call a ticket", "0.60");
tellResult(rounds, "batched", `LLM_BATCH=${BATCH}`, "2.00");
