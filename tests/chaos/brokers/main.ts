// `deno task campaign:brokers`: runs the brokers campaign on three real brokers and says what it found.

import { RealCluster } from "../../support/kafka/real_cluster.ts";
import { parseFlags } from "../stage/flags.ts";
import { kafkaCampaignMain } from "../stage/services.ts";
import { runBrokersCampaign } from "./brokers.ts";
import { ELECTING } from "./elections.ts";

const USAGE = `deno task campaign:brokers [options]
  --topics 2
  --partitions 6              of each topic, replicated three times
  --calm-seconds 10           time between one broker's return and the next one's end
  --json                      prints the findings as JSON and writes no report
`;

const flags = parseFlags(USAGE, { topics: "2", partitions: "6", "calm-seconds": "10" });

await kafkaCampaignMain("brokers", flags.json, async (report) => {
  report("starting three brokers");
  await using cluster = await RealCluster.start(3, { report, properties: ELECTING });
  return await runBrokersCampaign({
    cluster,
    topics: flags.whole("topics"),
    partitions: flags.whole("partitions"),
    calmSeconds: flags.whole("calm-seconds"),
    report,
  });
}, "three brokers of Kafka 4.1.0");
