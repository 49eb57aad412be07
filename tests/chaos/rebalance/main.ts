// `deno task campaign:rebalance`: runs the rebalance campaign on real Kafka and PostgreSQL and says what it found.

import { parseFlags } from "../stage/flags.ts";
import { LOAD_FLAGS, LOAD_USAGE, loadOf } from "../stage/load_flags.ts";
import { runRebalanceCampaign } from "./rebalance.ts";
import { campaignMain } from "../stage/services.ts";

const USAGE = `deno task campaign:rebalance [options]
  --changes 30                joins and leaves
  --seconds 180               time they are spread over
${LOAD_USAGE}  --session-timeout-ms 6000   silence after which Kafka gives a dead consumer's partitions away
  --json                      prints the findings as JSON and writes no report
`;

const flags = parseFlags(USAGE, {
  changes: "30",
  seconds: "180",
  ...LOAD_FLAGS,
  "session-timeout-ms": "6000",
});

await campaignMain("rebalance", flags.json, (services, report) =>
  runRebalanceCampaign({
    ...services,
    changes: flags.whole("changes"),
    changesSeconds: flags.whole("seconds"),
    ...loadOf(flags),
    sessionTimeoutMs: flags.whole("session-timeout-ms"),
    report,
  }));
