// `deno task campaign:crash`: runs the crash campaign on real Kafka and PostgreSQL and says what it found.

import { runCrashCampaign } from "./crash.ts";
import { crashFindings } from "./crash_findings.ts";
import { parseFlags } from "./flags.ts";
import { campaignMain } from "./services.ts";

const USAGE = `deno task campaign:crash [options]
  --tickets 2000              rows and records
  --partitions 8
  --kills 3                   how often something is killed with -9
  --kill consumer|worker      what is killed
  --replicas 2                worker processes
  --concurrency 8             permits a replica
  --latency-ms 200            median latency of the stub LLM, which has a heavy tail
  --session-timeout-ms 6000   silence after which Kafka gives a dead consumer's partitions away
  --json                      prints the findings as JSON and writes no report
`;

const flags = parseFlags(USAGE, {
  tickets: "2000",
  partitions: "8",
  kills: "3",
  kill: "consumer",
  replicas: "2",
  concurrency: "8",
  "latency-ms": "200",
  "session-timeout-ms": "6000",
});

function killFlag(): "consumer" | "worker" {
  const kill = flags.text("kill");
  if (kill === "consumer" || kill === "worker") return kill;
  throw new RangeError(`--kill is neither consumer nor worker: current value is "${kill}"`);
}

await campaignMain(`crash_${flags.text("kill")}`, flags.json, async (services, tell) => {
  const options = {
    ...services,
    tickets: flags.whole("tickets"),
    partitions: flags.whole("partitions"),
    kills: flags.whole("kills"),
    kill: killFlag(),
    replicas: flags.whole("replicas"),
    concurrency: flags.whole("concurrency"),
    latencyMs: flags.whole("latency-ms"),
    sessionTimeoutMs: flags.whole("session-timeout-ms"),
    tell,
  };
  return crashFindings(options, await runCrashCampaign(options));
});
