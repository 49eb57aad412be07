// `deno task campaign:linear`: 10 replicas against 1, 2 and 4, side by side in one run, on real Kafka and PostgreSQL.

import { parseFlags } from "../stage/flags.ts";
import { runLinearCampaign } from "./linear.ts";
import { campaignMain } from "../stage/services.ts";

const SIZES = [1, 2, 4, 10];

const USAGE = `deno task campaign:linear [options]
  --concurrency 8             permits a replica
  --sleep-ms 2000             mean time of the LLM's sleep
  --seconds 30                how long each size is measured, in each round
  --rounds 2
  --json                      prints the findings as JSON and writes no report
`;

const flags = parseFlags(USAGE, { concurrency: "8", "sleep-ms": "2000", seconds: "30", rounds: "2" });

await campaignMain("linear", flags.json, (services, report) =>
  runLinearCampaign({
    ...services,
    sizes: SIZES,
    concurrency: flags.whole("concurrency"),
    sleepMs: flags.whole("sleep-ms"),
    seconds: flags.whole("seconds"),
    rounds: flags.whole("rounds"),
    report,
  }));
