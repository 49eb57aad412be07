// What is paused and limited, in words.

import type { FlowJson, SetBy } from "../../flow/flow_json.ts";
import { describeHold } from "../../flow/flow_settings.ts";

/** A line for each thing that somebody set. */
export function flowAsText({ pauses, rate, pool, here, notKept }: FlowJson): string {
  const paused = pauses.length === 0
    ? ["Paused: nothing"]
    : pauses.map((each) => `Paused: ${describeHold(each)} (${signature(each)})`);
  const perSecond = rate.recordsPerSecond === null ? "no limit" : `${rate.recordsPerSecond} a second`;
  const atOnce = pool.permits === null ? "as many as the workers take" : `${pool.permits} at once`;
  const share = here.ofPartitions === null
    ? ""
    : `; this consumer has ${here.partitions} of ${here.ofPartitions} partitions`;
  return [
    ...paused,
    `Rate: ${perSecond}${by(rate.setBy)}${share}`,
    `Pool: ${atOnce}${by(pool.setBy)}`,
    ...(notKept === null ? [] : [`Note: these settings cannot be read from Kafka now: ${notKept}`]),
  ].join("\n");
}

function by(setBy: SetBy | null): string {
  return setBy === null ? "" : ` (${signature(setBy)})`;
}

function signature({ by, from, since }: SetBy): string {
  return `by ${by} from ${from}, ${since}`;
}
