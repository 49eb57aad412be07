import assert from "node:assert/strict";
import { scaleFindings, type ScaleOutcome, type ScaleSample } from "../../../chaos/scale/findings.ts";

const LOAD = { tickets: 1000, sleepMs: 2000, drainSeconds: 20, idleMs: 15_000 };

function sample(atMs: number, replicas: number, settled: number): ScaleSample {
  return {
    atMs,
    backlog: LOAD.tickets - settled,
    asked: replicas,
    wanted: replicas,
    processes: replicas,
    replicas,
    busyPermits: replicas * 8,
    settled,
    connections: replicas,
  };
}

const GOOD: ScaleOutcome = {
  samples: [
    sample(0, 0, 0),
    sample(1000, 10, 5),
    sample(2000, 10, 5),
    sample(3000, 10, 5),
    sample(4000, 0, 1000),
  ],
  processStartMs: 900,
  firstLabelMs: 3500,
  allLabelledMs: 30_000,
  unlabelled: 0,
  deadLettered: 0,
  llmCalls: 1000,
  otherAttempts: {},
  lines: ["replicas 0 → 1 (first record)"],
};

Deno.test("scaleFindings() tells the cold start, and one row where nothing changes", () => {
  const { tables: [overTime = [], inShort = []], faults } = scaleFindings(LOAD, GOOD);
  assert.deepEqual(faults, []);
  assert.deepEqual(overTime.slice(1).map(([second]) => second), ["0", "1", "4"]);
  const values = inShort.map(([, value]) => value);
  assert.ok(values.includes("900 ms") && values.includes("1500 ms"), values.join(", "));
});

Deno.test("scaleFindings() finds what must not be", () => {
  const faultsOf = (wrong: Partial<ScaleOutcome>) => scaleFindings(LOAD, { ...GOOD, ...wrong }).faults;
  const [none, ten] = [sample(0, 0, 0), sample(1, 10, 0)];
  const wrongs: readonly Partial<ScaleOutcome>[] = [
    { samples: [none, sample(1, 9, 0), none] },
    { samples: [none, ten] },
    { samples: [sample(0, 1, 0), ten, none] },
    { samples: [none, ten, { ...ten, processes: 11 }, none] },
    { unlabelled: 1 },
    { deadLettered: 1 },
    { llmCalls: 1001 },
    { otherAttempts: { "503": 2 } },
  ];
  for (const wrong of wrongs) assert.equal(faultsOf(wrong).length, 1, JSON.stringify(wrong));
});
