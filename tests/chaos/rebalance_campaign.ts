// `deno task campaign:rebalance`: runs the rebalance campaign on real Kafka and PostgreSQL and says what it found.

import { parseFlags } from "./flags.ts";
import { runRebalanceCampaign } from "./rebalance.ts";
import { campaignMain } from "./services.ts";

const USAGE = `deno task campaign:rebalance [options]
  --changes 30                joins and leaves
  --seconds 180               time they are spread over
  --partitions 8
  --replicas 2                worker processes
  --concurrency 8             permits a replica
  --latency-ms 200            median latency of the stub LLM, which has a heavy tail
  --session-timeout-ms 6000   silence after which Kafka gives a dead consumer's partitions away
  --json                      prints the findings as JSON and writes no report
`;

const flags = parseFlags(USAGE, {
  changes: "30",
  seconds: "180",
  partitions: "8",
  replicas: "2",
  concurrency: "8",
  "latency-ms": "200",
  "session-timeout-ms": "6000",
});

await campaignMain("rebalance", flags.json, (services, tell) =>
  runRebalanceCampaign({
    ...services,
    changes: flags.whole("changes"),
    changesSeconds: flags.whole("seconds"),
    partitions: flags.whole("partitions"),
    replicas: flags.whole("replicas"),
    concurrency: flags.whole("concurrency"),
    latencyMs: flags.whole("latency-ms"),
    sessionTimeoutMs: flags.whole("session-timeout-ms"),
    tell,
  }));
