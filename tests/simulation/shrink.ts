// Makes a failing schedule small enough to read: leaves out whatever the failure does not need.

import type { Core } from "./surroundings.ts";
import type { Fault, PlannedRecord, Scenario } from "./scenario.ts";
import { describeFault, run } from "./simulation.ts";

/** Runs spent on shrinking. */
const RUNS_MAX = 600;

/** The smallest schedule found that breaks the same invariant. */
export function shrink(failing: Scenario, invariant: string, core: Core): Scenario {
  let runs = 0;
  let best = failing;
  const attempt = (candidate: Scenario): boolean => {
    if (runs >= RUNS_MAX) return false;
    runs += 1;
    if (run(candidate, core).violation?.invariant !== invariant) return false;
    best = candidate;
    return true;
  };
  let before: Scenario | undefined;
  while (before !== best && runs < RUNS_MAX) {
    before = best;
    fewer(best.faults, (faults) => attempt({ ...best, faults }));
    fewer(best.records, (records) => attempt({ ...best, records }));
    for (const simpler of simplerThan(best)) attempt({ ...best, ...simpler });
    for (const [index, record] of best.records.entries()) {
      for (const plainer of plainerThan(record)) {
        if (attempt({ ...best, records: best.records.with(index, plainer) })) break;
      }
    }
  }
  return best;
}

/** Leaves out halves, then quarters, and so on down to single ones, as long as `attempt` agrees. */
function fewer<T>(all: readonly T[], attempt: (less: readonly T[]) => boolean): void {
  let left = all;
  for (let size = Math.ceil(all.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < left.length;) {
      const less = [...left.slice(0, at), ...left.slice(at + size)];
      if (attempt(less)) left = less;
      else at += size;
    }
  }
}

function simplerThan(scenario: Scenario): Partial<Scenario>[] {
  const { machine } = scenario;
  const simpler: Partial<Scenario>[] = [
    { consumers: 1 },
    { markersAtEnd: 0 },
    { replicas: 1 },
    ...(scenario.faults.some(({ type }) => type === "replica_down") ? [] : [{ balanced: false }]),
    { capacity: 1000 },
    { sticky: true },
    { meddled: false },
    { latencyMs: 20 },
    { fetchMax: 50 },
    { machine: { ...machine, commits: "async" } },
    { machine: { ...machine, bounds: { ...machine.bounds, bytes: 1e9 }, metadataBytesMax: 4096 } },
    { machine: { ...machine, deadLetters: { burst: 20, share: 0.02 } } },
    { machine: { ...machine, idleExitMs: undefined } },
    ...(scenario.faults.some(({ type }) => type === "replay" || type === "drop")
      ? []
      : [{ machine: { ...machine, parkKeys: false } }]),
  ];
  return simpler.filter((each) => JSON.stringify({ ...scenario, ...each }) !== JSON.stringify(scenario));
}

function plainerThan(record: PlannedRecord): PlannedRecord[] {
  const plainer: PlannedRecord[] = [];
  if (record.behaviour.kind !== "good") plainer.push({ ...record, behaviour: { kind: "good" } });
  if (record.gapBefore > 0) plainer.push({ ...record, gapBefore: 0 });
  if (record.atMs > 0) plainer.push({ ...record, atMs: 0 });
  return plainer;
}

/** A schedule for people: what is configured, the records and the faults. */
export function describe(scenario: Scenario): string {
  const { machine, records, faults, ...rest } = scenario;
  const settings = Object.entries(rest).map(([name, value]) => `${name}=${value}`).join(" ");
  return [
    `  ${machine.mode}, ${machine.commits} commits: ${JSON.stringify(machine)}`,
    `  ${settings}`,
    ...records.map((record) => `  record: ${describeRecord(record)}`),
    ...faults.map((fault: Fault) => `  fault: ${describeFault(fault)}`),
  ].join("\n");
}

function describeRecord({ partition, key, atMs, bytes, gapBefore, behaviour }: PlannedRecord): string {
  const { kind, ...more } = behaviour;
  const rest = Object.entries(more).map(([name, value]) => ` ${name}=${value}`).join("");
  const gap = gapBefore > 0 ? `, after a gap of ${gapBefore}` : "";
  return `${kind}${rest}, partition ${partition}, key ${key}, ${bytes} bytes, at ${atMs} ms${gap}`;
}
