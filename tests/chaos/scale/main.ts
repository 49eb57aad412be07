// `deno task campaign:scale`: `deno task start` with an LLM that sleeps gets a burst of tickets: 0 → 10 → 0 replicas.

import { parseFlags } from "../stage/flags.ts";
import { print, progress, publish } from "../stage/report.ts";
import { runScaleCampaign } from "./scale.ts";

const USAGE = `deno task campaign:scale [options]
  --tickets 1000              the burst
  --sleep-ms 2000             time of the LLM's sleep
  --drain-seconds 20          TARGET_DRAIN_SECONDS
  --idle-ms 15000             WORKER_IDLE_MS
  --json                      prints the findings as JSON and writes no report
`;

const flags = parseFlags(USAGE, {
  tickets: "1000",
  "sleep-ms": "2000",
  "drain-seconds": "20",
  "idle-ms": "15000",
});
for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, () => Deno.exit(130));
const report = progress();
try {
  const findings = await runScaleCampaign({
    tickets: flags.whole("tickets"),
    sleepMs: flags.whole("sleep-ms"),
    drainSeconds: flags.whole("drain-seconds"),
    idleMs: flags.whole("idle-ms"),
    report,
  });
  if (flags.json) print(`${JSON.stringify(findings)}\n`);
  else await publish("scale", findings, "the embedded Kafka and Postgres");
  Deno.exit(findings.faults.length === 0 ? 0 : 1);
} catch (error) {
  report(error instanceof Error ? `${error.message}\n${error.stack ?? ""}` : String(error));
  Deno.exit(1);
}
