// `deno task campaign:clean-stop`: runs the clean-stop campaign on real Kafka and PostgreSQL and says what it found.

import { runCleanStopCampaign } from "./clean_stop.ts";
import { parseFlags } from "./flags.ts";
import { campaignMain } from "./services.ts";

const USAGE = `deno task campaign:clean-stop [options]
  --tickets 2000     rows and records
  --stops 5          how often the consumer gets SIGTERM under load
  --partitions 8
  --replicas 2       worker processes
  --concurrency 8    permits a replica
  --latency-ms 200   median latency of the stub LLM, which has a heavy tail
  --json             prints the findings as JSON and writes no report
`;

const flags = parseFlags(USAGE, {
  tickets: "2000",
  stops: "5",
  partitions: "8",
  replicas: "2",
  concurrency: "8",
  "latency-ms": "200",
});

await campaignMain("clean_stop", flags.json, (services, tell) =>
  runCleanStopCampaign({
    ...services,
    tickets: flags.whole("tickets"),
    stops: flags.whole("stops"),
    partitions: flags.whole("partitions"),
    replicas: flags.whole("replicas"),
    concurrency: flags.whole("concurrency"),
    latencyMs: flags.whole("latency-ms"),
    tell,
  }));
