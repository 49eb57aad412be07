// `deno task campaign:memory`: runs the memory campaign on real Kafka and says what it found.

import { RealKafka } from "../../support/kafka/real_kafka.ts";
import { parseFlags } from "../stage/flags.ts";
import { kafkaCampaignMain } from "../stage/services.ts";
import { runMemoryCampaign } from "./memory.ts";

const USAGE = `deno task campaign:memory [options]
  --seconds 600               time that records come for
  --partitions 8,64           topics by their partitions, at once, each with a consumer of its own
  --records-per-second 80    what is held stays below the bound of 10,000 records, of which the retry topic has half
  --body-bytes 1024
  --json                      prints the findings as JSON and writes no report
`;

const flags = parseFlags(USAGE, {
  seconds: "600",
  partitions: "8,64",
  "records-per-second": "80",
  "body-bytes": "1024",
});

await kafkaCampaignMain("memory", flags.json, async (report) => {
  report("starting Kafka");
  await using kafka = await RealKafka.start({ report });
  return await runMemoryCampaign({
    brokers: kafka.brokers,
    seconds: flags.whole("seconds"),
    partitions: flags.text("partitions").split(",").map(Number),
    recordsPerSecond: flags.whole("records-per-second"),
    heldEvery: 10,
    bodyBytes: flags.whole("body-bytes"),
    report,
  });
});
