// Faults of the cluster and deeds of operators on the flow, for some of the schedules, from a stream of their own.

import type { MachineConfig } from "../../consumer/core/machine.ts";
import { pick, stream, whole } from "./random.ts";
import { type Fault, FAULTS_FOR_MS } from "./scenario.ts";

/** One schedule in so many has them. */
const EVERY = 3;

/** The faults of a seed. */
export function clusterFaultsOf(seed: number, partitions: number, machine: MachineConfig): readonly Fault[] {
  if (seed % EVERY !== 0) return [];
  const random = stream(seed * 374761393 + 11);
  // One that drains ends where nothing comes, whatever an operator holds.
  const held = machine.idleExitMs === undefined;
  return Array.from({ length: whole(1, 3, random()) }, (): Fault => {
    const when = { atMs: whole(0, FAULTS_FOR_MS, random()), forMs: whole(500, 30_000, random()) };
    const [which, how] = [random(), random()];
    const partition = whole(0, partitions - 1, how);
    const consumer = whole(0, 3, random());
    if (held && which < 0.25) {
      return {
        ...when,
        type: "pause",
        of: pick<"all" | "topic" | number>(["all", "topic", partition], random()),
      };
    }
    if (held && which < 0.45) return { ...when, type: "limit", ...limitOf(random) };
    if (which < 0.6) return { ...when, type: "leaderless", partition };
    if (which < 0.75) return { ...when, type: "half_join", consumer };
    if (which < 0.85) return { ...when, type: "clock_back", byMs: whole(1000, 3_600_000, how) };
    if (which < 0.93 || machine.parkKeys) return { ...when, type: "topic_anew" };
    return { ...when, type: "rewind", partition, share: random() };
  });
}

function limitOf(
  random: () => number,
): { ratePerSecond: number | undefined; permitsMax: number | undefined } {
  const which = random();
  return {
    ratePerSecond: which < 0.7 ? pick([0.5, 2, 10, 50], random()) : undefined,
    permitsMax: which > 0.4 ? whole(1, 6, random()) : undefined,
  };
}
