// The schedule of a storm: which faults come, in which order, at which share of the tickets. Pure: a seed decides all.

import { stream } from "../../simulation/random.ts";

/** Everything that is broken on purpose. */
export const FAULT_KINDS = [
  "consumer killed",
  "consumer frozen",
  "consumer stopped",
  "consumer joins",
  "consumer leaves",
  "worker killed",
  "worker frozen",
  "worker stopped",
  "database killed",
  "database stopped",
  "broker killed",
  "broker frozen",
  "broker restarted",
  "workers' wire reset",
  "workers' wire silent",
  "workers' wire slow",
  "workers' wire in slices",
  "answers lost after the write",
  "database's wire silent",
  "database's wire reset",
  "model's wire silent",
  "model answers 429",
  "model answers 500",
  "model answers garbage",
  "version before joins",
  "version before takes over",
] as const;

/** One of them. */
export type FaultKind = typeof FAULT_KINDS[number];

/** One fault of a schedule. */
export interface ScheduledFault {
  readonly kind: FaultKind;
  /** It comes when this share of the tickets is settled, 0 to 1. */
  readonly atShare: number;
  /** How long it lasts, in ms, where it does not end by itself. */
  readonly forMs: number;
  /** Chooses among several targets. */
  readonly choice: number;
}

/** So many faults, spread over the run; every kind once before any comes again. */
export function scheduleOf(
  seed: number,
  faults: number,
  kinds: readonly FaultKind[] = FAULT_KINDS,
): ScheduledFault[] {
  const random = stream(seed);
  const bag: FaultKind[] = [];
  return Array.from({ length: faults }, (_, index) => {
    if (bag.length === 0) bag.push(...shuffled(kinds, random));
    return {
      kind: bag.pop() ?? "worker killed",
      atShare: (index + 0.5) / (faults + 1),
      forMs: Math.round(1_000 + random() * 5_000),
      choice: Math.floor(random() * 1_000),
    };
  });
}

function shuffled<T>(values: readonly T[], random: () => number): T[] {
  const left = [...values];
  return values.map(() => left.splice(Math.floor(random() * left.length), 1)).flat();
}
