// `deno task campaign:pool`: one fault of a replica after another under load, on real Kafka and PostgreSQL.

import { parseFlags } from "../stage/flags.ts";
import { runPoolCampaign } from "./pool.ts";
import { type PhaseName, PHASES } from "./phases.ts";
import { campaignMain } from "../stage/services.ts";

const USAGE = `deno task campaign:pool [options]
  --replicas 4                worker processes behind the name; one more joins and leaves
  --concurrency 8             permits a replica
  --sleep-ms 2000             mean time of the LLM's sleep
  --phase-seconds 60          how long each thing lasts
  --rejecting-seconds 60      how long a replica answers 500
  --phases ${PHASES.join(",")}
  --json                      prints the findings as JSON and writes no report
`;

const flags = parseFlags(USAGE, {
  replicas: "4",
  concurrency: "8",
  "sleep-ms": "2000",
  "phase-seconds": "60",
  "rejecting-seconds": "60",
  phases: PHASES.join(","),
});

function phasesFlag(): PhaseName[] {
  return flags.text("phases").split(",").map((name) => {
    const phase = PHASES.find((each) => each === name);
    if (phase === undefined) {
      throw new RangeError(`--phases has one that there is not: current value is "${name}"`);
    }
    return phase;
  });
}

await campaignMain("pool", flags.json, (services, report) =>
  runPoolCampaign({
    ...services,
    replicas: flags.whole("replicas"),
    concurrency: flags.whole("concurrency"),
    sleepMs: flags.whole("sleep-ms"),
    phases: phasesFlag(),
    phaseSeconds: flags.whole("phase-seconds"),
    rejectingSeconds: flags.whole("rejecting-seconds"),
    report,
  }));
