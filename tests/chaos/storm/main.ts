// `deno task chaos`: a whole deployment under a seeded schedule of faults; what happened is kept, checked and reported.

import { parseFlags } from "../stage/flags.ts";
import { type Findings, print, progress, publish } from "../stage/report.ts";
import { TemporaryFolder } from "../../support/temporary_folder.ts";
import { FAULT_KINDS, type FaultKind } from "./schedule.ts";
import { runStorm } from "./storm.ts";
import type { Verdict } from "../history/checker.ts";
import type { HistoryEvent } from "../history/events.ts";

const ROOT = new URL("../../../", import.meta.url).pathname;
const USAGE = `deno task chaos [options]
  --tickets 20000             records about so many tickets
  --seed 1                    decides the schedule
  --faults 0                  how many; 0: every kind once
  --minutes 1                 the tickets are produced over at least so long
  --before REV                the version before, a commit of this repository; none: no fault needs one
  --mode key                  DELIVERY_MODE of the consumers
  --partitions 12
  --replicas 3                worker processes
  --concurrency 16            permits a replica
  --latency-ms 20             median latency of the model, with a heavy tail
  --history FILE              where all that happened goes, a line of JSON each
  --json                      prints the findings as JSON and writes no report
`;

const flags = parseFlags(USAGE, {
  tickets: "20000",
  seed: "1",
  faults: "0",
  minutes: "1",
  before: "none",
  mode: "key",
  partitions: "12",
  replicas: "3",
  concurrency: "16",
  "latency-ms": "20",
  history: "none",
});

for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, () => Deno.exit(130));
const report = progress();
await using folder = await TemporaryFolder.make("ackpool-before-");
const before = flags.text("before") === "none"
  ? undefined
  : await checkOut(flags.text("before"), folder.path);
const kinds = FAULT_KINDS.filter((kind) => before !== undefined || !kind.startsWith("version before"));
const faults = Number(flags.text("faults")) || kinds.length;
const tickets = flags.whole("tickets");

const code = await main().catch((error: unknown) => {
  report(error instanceof Error ? error.stack ?? error.message : String(error));
  return 1;
});
Deno.exit(code);

async function main(): Promise<number> {
  const { history, verdict } = await runStorm({
    tickets,
    seed: flags.whole("seed"),
    faults,
    kinds,
    perSecond: tickets / (flags.whole("minutes") * 60),
    before,
    mode: flags.text("mode"),
    partitions: flags.whole("partitions"),
    replicas: flags.whole("replicas"),
    concurrency: flags.whole("concurrency"),
    latencyMs: flags.whole("latency-ms"),
    report,
  });
  const path = flags.text("history");
  if (path !== "none") {
    await Deno.writeTextFile(
      path,
      history.map((event) => `${JSON.stringify(event)}\n`).join(""),
    );
  }
  const findings = findingsOf(verdict, history);
  if (flags.json) print(`${JSON.stringify(findings)}\n`);
  else await publish("chaos", findings, "Kafka 4.1.0 (three brokers), PostgreSQL");
  return findings.faults.length === 0 ? 0 : 1;
}

/** The version before, checked out and installed; its folder's path ends in a slash. */
async function checkOut(revision: string, path: string): Promise<string> {
  const root = `${path}/before/`;
  await command("git", ["clone", "-q", "--no-hardlinks", ROOT, root], ROOT);
  await command("git", ["checkout", "-q", "--detach", revision], root);
  await command(Deno.execPath(), ["install", "--quiet"], root);
  return root;
}

async function command(program: string, args: readonly string[], cwd: string): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args: [...args], cwd }).output();
  if (!success) throw new Error(`${program} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}

function findingsOf({ anomalies, costs }: Verdict, history: readonly HistoryEvent[]): Findings {
  const happened = Map.groupBy(
    history.filter((event) => event.type === "fault"),
    ({ kind }) => kind as FaultKind,
  );
  const missing = kinds.filter((kind) => !happened.has(kind));
  return {
    title: `${tickets} tickets, ${faults} faults, seed ${flags.text("seed")}`,
    command: `deno task chaos --tickets ${tickets} --faults ${faults} --seed ${flags.text("seed")}`,
    tables: [
      [["fault", "times"], ...[...happened].map(([kind, of]) => [kind, of.length])],
      [
        ["measured", "value"],
        ["records", costs.records],
        ["dead letters", costs.deadLetters],
        ["paid calls a ticket", costs.callsPerTicket.toFixed(3)],
        ["records sent again after they were settled, a fault", costs.redeliveriesPerFault.toFixed(1)],
        ["longest time without progress after the last fault", `${(costs.stallMs / 1000).toFixed(1)} s`],
      ],
    ],
    faults: [
      ...anomalies.map(({ kind, count, example }) => `${kind}: ${count}, the first: ${example}`),
      ...missing.map((kind) => `never happened: ${kind}`),
    ],
  };
}
