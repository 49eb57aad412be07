// `deno task campaign:crash`: runs the crash campaign on real Kafka and PostgreSQL and says what it found.

import { runCrashCampaign } from "./crash.ts";
import { crashFindings } from "./findings.ts";
import { parseFlags } from "../stage/flags.ts";
import { LOAD_FLAGS, LOAD_USAGE, loadOf } from "../stage/load_flags.ts";
import { campaignMain } from "../stage/services.ts";

const USAGE = `deno task campaign:crash [options]
  --tickets 2000              rows and records
  --kills 3                   how often something is killed with -9
  --kill consumer|worker      what is killed
${LOAD_USAGE}  --session-timeout-ms 6000   silence after which Kafka gives a dead consumer's partitions away
  --json                      prints the findings as JSON and writes no report
`;

const flags = parseFlags(USAGE, {
  tickets: "2000",
  kills: "3",
  kill: "consumer",
  ...LOAD_FLAGS,
  "session-timeout-ms": "6000",
});

function killFlag(): "consumer" | "worker" {
  const kill = flags.text("kill");
  if (kill === "consumer" || kill === "worker") return kill;
  throw new RangeError(`--kill is neither consumer nor worker: current value is "${kill}"`);
}

await campaignMain(`crash_${flags.text("kill")}`, flags.json, async (services, report) => {
  const options = {
    ...services,
    tickets: flags.whole("tickets"),
    kills: flags.whole("kills"),
    kill: killFlag(),
    ...loadOf(flags),
    sessionTimeoutMs: flags.whole("session-timeout-ms"),
    report,
  };
  return crashFindings(options, await runCrashCampaign(options));
});
