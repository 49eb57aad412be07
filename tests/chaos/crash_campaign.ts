// `deno task campaign:crash`: runs the crash campaign on real Kafka and PostgreSQL and says what it found.

import { parseArgs } from "node:util";
import { type CrashOptions, runCrashCampaign } from "./crash.ts";
import { crashFindings } from "./crash_findings.ts";
import { print, progress, publish } from "./report.ts";
import { realServices } from "./services.ts";

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

function parse() {
  const text = (fallback: string) => ({ type: "string", default: fallback }) as const;
  const { values } = parseArgs({
    args: Deno.args,
    options: {
      tickets: text("2000"),
      partitions: text("8"),
      kills: text("3"),
      kill: text("consumer"),
      replicas: text("2"),
      concurrency: text("8"),
      "latency-ms": text("200"),
      "session-timeout-ms": text("6000"),
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  return values;
}

function whole(name: string, text: string): number {
  if (!/^[1-9]\d*$/.test(text)) {
    throw new RangeError(`--${name} is not a whole number: current value is ${text}`);
  }
  return Number(text);
}

async function main(): Promise<number> {
  const values = parse();
  if (values.help) {
    print(USAGE);
    return 0;
  }
  const { kill } = values;
  if (kill !== "consumer" && kill !== "worker") {
    throw new RangeError(`--kill is neither consumer nor worker: current value is ${kill}`);
  }
  const tell = progress();
  await using services = await realServices(tell);
  const options: CrashOptions = {
    brokers: services.brokers,
    databaseUrl: services.databaseUrl,
    tickets: whole("tickets", values.tickets),
    partitions: whole("partitions", values.partitions),
    kills: whole("kills", values.kills),
    kill,
    replicas: whole("replicas", values.replicas),
    concurrency: whole("concurrency", values.concurrency),
    latencyMs: whole("latency-ms", values["latency-ms"]),
    sessionTimeoutMs: whole("session-timeout-ms", values["session-timeout-ms"]),
    tell,
  };
  const findings = crashFindings(options, await runCrashCampaign(options));
  if (values.json) print(`${JSON.stringify(findings)}\n`);
  else await publish(`crash_${kill}`, findings);
  return findings.faults.length === 0 ? 0 : 1;
}

for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, () => Deno.exit(130));

Deno.exit(await main());
