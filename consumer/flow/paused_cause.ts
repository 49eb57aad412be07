// pausedCause(): that operators hold something, with who, from where and since when.

import type { Cause } from "../../shared/http/health.ts";
import { describeHold, type FlowPause } from "./flow_settings.ts";

/** So many pauses are named; the others are counted. */
const NAMED_MAX = 3;

/**
 * The cause; undefined where nothing is paused.
 *
 * @param nowMs the monotonic clock.
 * @param dayMs time of day.
 */
export function pausedCause(
  pauses: readonly FlowPause[],
  { nowMs, dayMs }: { readonly nowMs: number; readonly dayMs: number },
): Cause | undefined {
  if (pauses.length === 0) return undefined;
  const named = pauses.slice(0, NAMED_MAX).map((each) =>
    `${describeHold(each)} by ${each.by} from ${each.from} since ${each.since}`
  );
  const more = pauses.length > NAMED_MAX ? [`${pauses.length - NAMED_MAX} more`] : [];
  const ageMs = dayMs - Math.min(...pauses.map(({ since }) => Date.parse(since)));
  return {
    name: "paused",
    sinceMs: nowMs - Math.max(0, ageMs),
    detail: `Paused by an operator: ${[...named, ...more].join("; ")}`,
    remedy: "Resume it when it may go on: deno task resume. What was in flight is finished.",
  };
}
