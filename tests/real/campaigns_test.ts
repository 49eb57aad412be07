// Short versions of the campaigns of tests/chaos: real processes, kill -9 and SIGTERM under load.

import assert from "node:assert/strict";
import { runCleanStopCampaign } from "../chaos/clean_stop/clean_stop.ts";
import { runCrashCampaign } from "../chaos/crash/crash.ts";
import { crashFindings } from "../chaos/crash/findings.ts";
import { runPoolCampaign } from "../chaos/pool/pool.ts";
import { PHASES } from "../chaos/pool/phases.ts";
import { runTopicsCampaign } from "../chaos/topics/topics.ts";
import { SHARE_FAULT } from "../chaos/pool/findings.ts";
import { markdownReport } from "../chaos/stage/report.ts";
import { servicesOfTheTestRun } from "../chaos/stage/services.ts";

const load = {
  tickets: 240,
  partitions: 8,
  replicas: 2,
  concurrency: 8,
  latencyMs: 100,
  sessionTimeoutMs: 3000,
  report: () => {},
};

for (const kill of ["consumer", "worker"] as const) {
  Deno.test(`a ${kill} killed with -9 under load loses no ticket and explains every redelivery`, async () => {
    const options = { ...load, ...servicesOfTheTestRun(), kills: 1, kill };
    const findings = crashFindings(options, await runCrashCampaign(options));
    assert.deepEqual(findings.faults, [], markdownReport(findings));
  });
}

Deno.test("a consumer stopped with SIGTERM under load has nothing settled delivered again", async () => {
  const findings = await runCleanStopCampaign({ ...load, ...servicesOfTheTestRun(), stops: 2 });
  assert.deepEqual(findings.faults, [], markdownReport(findings));
});

Deno.test("what befalls a replica under load loses no ticket, and one that goes gets nothing new", async () => {
  const { report } = load;
  const lengths = { phases: PHASES, phaseSeconds: 5, rejectingSeconds: 5, sleepMs: 400 };
  const pool = { replicas: 3, concurrency: 4, ...lengths };
  const findings = await runPoolCampaign({ ...pool, ...servicesOfTheTestRun(), report });
  // How much gets through in a few seconds says nothing on a busy machine.
  const faults = findings.faults.filter((fault) => !fault.endsWith(SHARE_FAULT));
  assert.deepEqual(faults, [], markdownReport(findings));
});

Deno.test("topics that come, go and come back under a pattern lose no record, whether keys are parked or not", async () => {
  const { report } = load;
  const findings = await runTopicsCampaign({ ...servicesOfTheTestRun(), topics: 6, seconds: 24, report });
  assert.deepEqual(findings.faults, [], markdownReport(findings));
});
