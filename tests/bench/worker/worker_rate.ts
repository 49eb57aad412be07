// `deno task bench:worker`: POST /classify against a bare loop that only makes the same SDK call, side by side on one
// core; real PostgreSQL, an LLM that answers at once and the sender of the tickets share another one.

import { flagsOf } from "../../support/test_command.ts";
import { migrate, readMigrations } from "../../../worker/db/schema/migrate.ts";
import { DEFAULT_TICKETS_TABLE } from "../../../worker/db/tickets_table.ts";
import { startChild } from "../../support/processes/process.ts";
import { RealPostgres } from "../../support/postgres/real_postgres.ts";
import { testDatabase } from "../../support/postgres/store_harness.ts";
import { say } from "../stage.ts";
import { type Contestant, type Heat, leaveTheCore, startBareLoop, startWorker } from "./contestants.ts";

const values = flagsOf("bench:worker", "POST /classify beside a bare loop that makes the same SDK call.", {
  rounds: { type: "string", default: "15" },
  "in-flight": { type: "string", default: "256" },
  batch: { type: "string", default: "50" },
});
const ROUNDS = Number(values.rounds);
const BATCH = Number(values.batch);
/** Tickets before anything is counted: code that runs for days is judged once it is compiled, with LLM_BATCH too. */
const WARM_UP = { bare: 12_000, alone: 12_000, batched: 40_000 };
/** About a second's work for each, so that whatever else the machine does meets all three. */
const HEAT = { bare: 3_000, alone: 2_000, batched: 6_000 };

type Name = keyof typeof HEAT;
type Round = Readonly<Record<Name, Heat>>;

async function addTickets(databaseUrl: string, rows: number): Promise<void> {
  const admin = testDatabase(databaseUrl, 1);
  await migrate(admin, await readMigrations(), DEFAULT_TICKETS_TABLE);
  const all =
    "insert into tickets (id, subject, body) select g, 's', 'b' from generate_series(0, $1::int - 1) g";
  await admin.run(all, [rows]);
  await admin.run("analyze tickets", []);
  await admin.close();
}

const perSecond = ({ tickets, tookMs }: Heat) => tickets / (tookMs / 1000);
const cpuMsPerTicket = ({ tickets, cpuMs }: Heat) => cpuMs / tickets;

async function runHeat(round: number, name: Name, contestant: Contestant): Promise<Heat> {
  const heat = await contestant.run(HEAT[name]);
  const { tickets, statements, calls } = heat;
  say(
    `round ${String(round).padStart(2)} ${name.padEnd(7)} ${Math.round(perSecond(heat))} a second, ` +
      `${cpuMsPerTicket(heat).toFixed(3)} ms of processor time a ticket, ` +
      `${(tickets / calls).toFixed(1)} tickets a call, ${
        (statements / tickets).toFixed(3)
      } statements a ticket`,
  );
  return heat;
}

/** Each round is compared with itself, because whatever else the machine does changes from one to the next. */
function tellResult(rounds: readonly Round[], name: Name, what: string, goal: string): void {
  const share = (of: (round: Round) => number) => {
    const shares = rounds.map(of).toSorted((a, b) => a - b);
    const at = (part: number) => (shares[Math.floor(part * (shares.length - 1))] ?? NaN).toFixed(2);
    return `${at(0.5)} (half of the rounds between ${at(0.25)} and ${at(0.75)})`;
  };
  const byCpu = share((round) => cpuMsPerTicket(round.bare) / cpuMsPerTicket(round[name]));
  const byClock = share((round) => perSecond(round[name]) / perSecond(round.bare));
  const tickets = rounds.reduce((sum, round) => sum + round[name].tickets, 0);
  const statements = rounds.reduce((sum, round) => sum + round[name].statements, 0);
  say(`${what} beside the bare loop, goal at least ${goal}:`);
  say(`  by processor time ${byCpu}`);
  say(`  by the clock      ${byClock}`);
  say(`  ${(statements / tickets).toFixed(3)} statements a ticket, goal under 0.5`);
}

await leaveTheCore();
await using database = await RealPostgres.start();
await using llm = startChild({
  name: "llm",
  command: Deno.execPath(),
  args: ["run", "-A", "tests/bench/worker/instant_llm.ts"],
});
const { fields } = await llm.waitForLine((line) => line.fields.message === "listening");
const course = {
  inFlight: Number(values["in-flight"]),
  baseUrl: `http://127.0.0.1:${fields.port}/v1`,
  databaseUrl: database.url,
};
const aloneRows = WARM_UP.alone + ROUNDS * HEAT.alone;
await addTickets(database.url, aloneRows + WARM_UP.batched + ROUNDS * HEAT.batched);
await using bare = await startBareLoop(course);
await using alone = await startWorker(course, 0, 1);
await using batched = await startWorker(course, aloneRows, BATCH);
await bare.run(WARM_UP.bare);
await alone.run(WARM_UP.alone);
await batched.run(WARM_UP.batched);

const rounds: Round[] = [];
for (let round = 1; round <= ROUNDS; round++) {
  rounds.push({
    bare: await runHeat(round, "bare", bare),
    alone: await runHeat(round, "alone", alone),
    batched: await runHeat(round, "batched", batched),
  });
}
tellResult(rounds, "alone", "one call a ticket", "0.60");
tellResult(rounds, "batched", `LLM_BATCH=${BATCH}`, "2.00");
