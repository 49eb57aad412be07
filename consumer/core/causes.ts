// Causes: why delivery is held up, as values that health, logs and metrics share.

import type { Cause } from "../../shared/http/health.ts";
import { type Outcome, outcomeLabel, problemRemedy, problemText } from "../../shared/contract/outcome.ts";
import type { Pause } from "./policies/breaker.ts";
import type { CommonFailure } from "./dead_letter_queue.ts";
import type { MachineView, PartitionView } from "./view.ts";

/** Everything that holds delivery up now, the gravest first. */
export function causesOf(view: MachineView): readonly Cause[] {
  const { pause, floodSinceMs, deadLettersWaiting, deadLettersFailingSinceMs, commitsFailingSinceMs } = view;
  return [
    ...(pause === undefined ? [] : [pauseCause(pause)]),
    ...(floodSinceMs === undefined ? [] : [floodCause(floodSinceMs, deadLettersWaiting, view.commonFailure)]),
    ...(deadLettersFailingSinceMs === undefined ? [] : [deadLetterTopicCause(deadLettersFailingSinceMs)]),
    ...(commitsFailingSinceMs === undefined ? [] : [commitCause(commitsFailingSinceMs)]),
    ...view.partitions.filter(({ mapFull }) => mapFull).flatMap(stalledCause),
  ];
}

function pauseCause({ cause, sinceMs, last }: Pause): Cause {
  const said = last === undefined
    ? "the replicas' /readyz says no"
    : `the last attempt came to ${describeOutcome(last)}`;
  switch (cause) {
    case "outage":
      return {
        name: "outage",
        sinceMs,
        detail: `Most attempts fail: ${said}`,
        remedy: remedyOf(last) ??
          "Look at the workers' /readyz and logs. Probes go on; no record loses an attempt meanwhile.",
      };
    case "misconfigured":
      return {
        name: "misconfigured",
        sinceMs,
        detail: `The workers refuse the way they are called: ${said}`,
        remedy: remedyOf(last) ??
          "Check WORKER_URL, WORKER_TOKEN and the provider's key. Nothing is dead-lettered; probes go on.",
      };
    default:
      return cause satisfies never;
  }
}

function floodCause(sinceMs: number, waiting: number, common: CommonFailure | undefined): Cause {
  const share = common === undefined || common.outcome === undefined
    ? ""
    : `. ${common.count} of them came to ${describeOutcome(common.outcome)}`;
  return {
    name: "dead-letter-flood",
    sinceMs,
    detail: `${waiting} records wait to be dead-lettered, more than a healthy topic has${share}`,
    remedy: "Mend that where it can be mended. If these records are bad indeed, let them through: " +
      `deno task dlq allow ${waiting}. One goes every 10 s by itself.`,
  };
}

function deadLetterTopicCause(sinceMs: number): Cause {
  return {
    name: "dead-letter-topic-unavailable",
    sinceMs,
    detail: "The dead-letter topic cannot be written",
    remedy: "Make the topic or grant the right to write it. Only the records that need it wait.",
  };
}

function commitCause(sinceMs: number): Cause {
  return {
    name: "commit-refused",
    sinceMs,
    detail: "The broker does not take our commits",
    remedy: "Usually a rebalance or an unreachable coordinator; it is tried again every half second.",
  };
}

function stalledCause({ id, head }: PartitionView): readonly Cause[] {
  if (head === undefined) return [];
  const last = head.lastOutcome === undefined ? "no answer yet" : describeOutcome(head.lastOutcome);
  return [{
    name: "stalled-head",
    sinceMs: head.sentMs ?? head.receivedMs,
    detail: `${id} cannot run further ahead of offset ${head.offset}: ` +
      `${head.attemptsCounted} attempts counted, ${head.attemptsSent} made, the last came to ${last}`,
    remedy: `${remedyOf(head.lastOutcome) ?? "Look at this record"}, or take it out: ` +
      `deno task dlq take ${id}/${head.offset}. The other partitions are not held up.`,
  }];
}

/** What an attempt came to, what the worker said and who it was: `403 (/problems/x: no such model) from http://a:1`. */
export function describeOutcome(outcome: Outcome): string {
  const type = outcome.kind === "answer" ? outcome.problemType : undefined;
  const said = [type, problemText(outcome)].filter((text) => text !== undefined).join(": ");
  const from = outcome.replica === undefined ? "" : ` from ${outcome.replica}`;
  return `${outcomeLabel(outcome)}${said === "" ? "" : ` (${said})`}${from}`;
}

/** What the worker itself says is to be done: it knows better. */
function remedyOf(last: Outcome | undefined): string | undefined {
  return last && problemRemedy(last);
}
