// `deno task campaign:topics`: runs the topics campaign on real Kafka and says what it found.

import { RealKafka } from "../../support/kafka/real_kafka.ts";
import { parseFlags } from "../stage/flags.ts";
import { kafkaCampaignMain } from "../stage/services.ts";
import { runTopicsCampaign } from "./topics.ts";

const USAGE = `deno task campaign:topics [options]
  --topics 20                 topics made, under each setting of PARK_KEYS
  --seconds 600               time they are spread over
  --json                      prints the findings as JSON and writes no report
`;

const flags = parseFlags(USAGE, { topics: "20", seconds: "600" });

await kafkaCampaignMain("topics", flags.json, async (report) => {
  report("starting Kafka");
  await using kafka = await RealKafka.start({ report });
  const [topics, seconds] = [flags.whole("topics"), flags.whole("seconds")];
  return await runTopicsCampaign({ brokers: kafka.brokers, topics, seconds, report });
});
