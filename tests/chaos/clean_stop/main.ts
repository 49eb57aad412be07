// `deno task campaign:clean-stop`: runs the clean-stop campaign on real Kafka and PostgreSQL and says what it found.

import { runCleanStopCampaign } from "./clean_stop.ts";
import { parseFlags } from "../stage/flags.ts";
import { LOAD_FLAGS, LOAD_USAGE, loadOf } from "../stage/load_flags.ts";
import { campaignMain } from "../stage/services.ts";

const USAGE = `deno task campaign:clean-stop [options]
  --tickets 2000              rows and records
  --stops 5                   how often the consumer gets SIGTERM under load
${LOAD_USAGE}  --json                      prints the findings as JSON and writes no report
`;

const flags = parseFlags(USAGE, {
  tickets: "2000",
  stops: "5",
  ...LOAD_FLAGS,
});

await campaignMain("clean_stop", flags.json, (services, report) =>
  runCleanStopCampaign({
    ...services,
    tickets: flags.whole("tickets"),
    stops: flags.whole("stops"),
    ...loadOf(flags),
    report,
  }));
