// The causes for which the pool sends nothing: which replicas get nothing and why, and what the provider asked for.

import type { Cause } from "../http/health.ts";
import { type Outcome, outcomeLabel } from "../contract/outcome.ts";
import type { Replica } from "./replicas/replica.ts";

/** A rest of the provider that is longer than this is a cause, in ms. */
const REST_TOLD_MS = 10_000;

/** What the pool knows. */
export interface PoolState {
  readonly replicas: readonly Replica[];
  /** Where replicas are looked for. */
  readonly hosts: readonly string[];
  /** Since when no replica takes work; undefined while one does. */
  readonly emptySinceMs: number | undefined;
  /** The provider asked for this rest; undefined while it lets us through. */
  readonly rest: { readonly sinceMs: number; readonly untilMs: number } | undefined;
  readonly nowMs: number;
}

/** Everything that keeps the pool from sending. */
export function poolCauses({ replicas, hosts, emptySinceMs, rest, nowMs }: PoolState): readonly Cause[] {
  const causes: Cause[] = [];
  if (emptySinceMs !== undefined) {
    const complaints = complaintsOf(replicas);
    const said = complaints === undefined ? "" : `. ${complaints.said}`;
    const out = replicas.length === 0 ? "" : `: ${countsOf(replicas, nowMs)}${said}`;
    causes.push(
      isOutage(replicas) ? outage(emptySinceMs, hosts, out, complaints?.remedy) : {
        name: "no-replica",
        sinceMs: emptySinceMs,
        detail: `None of ${replicas.length} replicas takes work (${hosts.join(", ")})${out}`,
        remedy: complaints?.remedy ??
          "Start a worker, or look at the workers' own /readyz. Delivery goes on by itself.",
      },
    );
  } else {
    causes.push(...notReady(replicas));
  }
  if (rest !== undefined && rest.untilMs - rest.sinceMs > REST_TOLD_MS && nowMs < rest.untilMs) {
    const seconds = Math.ceil((rest.untilMs - nowMs) / 1000);
    causes.push({
      name: "rate-limited",
      sinceMs: rest.sinceMs,
      detail: `The provider's rate or the day's budget is used up: nothing leaves for another ${seconds} s`,
      remedy: "Nothing needs doing: delivery goes on by itself. More is to be had from the provider alone.",
    });
  }
  return causes;
}

/** Whether all replicas can be reached and fail: that is an outage and no lack of replicas. */
function isOutage(replicas: readonly Replica[]): boolean {
  const reached = ({ last }: Replica) => last !== undefined && last.kind !== "refused";
  return replicas.length > 0 && replicas.every(({ ejected, leaving }) => ejected && !leaving) &&
    replicas.some(reached);
}

function outage(
  sinceMs: number,
  hosts: readonly string[],
  out: string,
  remedy: string | undefined,
): Cause {
  return {
    name: "outage",
    sinceMs,
    detail: `Every replica fails (${hosts.join(", ")})${out}`,
    remedy: remedy ??
      "Look at the workers' /readyz and logs. A replica comes back when its health check answers.",
  };
}

/** Where all replicas say that they are not ready: what they say is wrong, also while nothing is to be sent. */
function notReady(replicas: readonly Replica[]): readonly Cause[] {
  const asked = replicas.filter(({ leaving, draining }) => !leaving && !draining);
  const complaints = complaintsOf(asked);
  if (complaints === undefined || complaints.count < asked.length) return [];
  return [{
    name: "workers-not-ready",
    sinceMs: Math.max(...asked.map(({ complainsSinceMs = 0 }) => complainsSinceMs)),
    detail: complaints.said,
    remedy: complaints.remedy,
  }];
}

/** What replicas say is wrong with them: the words of the first one, and how many say something. */
function complaintsOf(replicas: readonly Replica[]) {
  const complaining = replicas.filter(({ complaints }) => complaints.some(({ name }) => name !== "draining"));
  const [first] = complaining;
  if (first === undefined) return undefined;
  const words = first.complaints.map(({ name, detail }) => `${name}: ${detail}`).join("; ");
  const remedies = first.complaints.map(({ remedy }) => remedy).filter((remedy) => remedy !== "");
  const { length: count } = complaining;
  return {
    count,
    said:
      `${count} of ${replicas.length} workers say that they are not ready: ${words} (says ${first.address})`,
    remedy: remedies.join(" ") || "Look at the workers' /readyz and logs.",
  };
}

/** Why a replica gets nothing new; undefined while it does. */
export function outFor(replica: Replica, nowMs: number): string | undefined {
  if (replica.leaving) return "leaving";
  if (replica.ejection !== undefined) return replica.ejection;
  if (replica.draining) return "draining";
  return replica.restUntilMs > nowMs ? "resting" : undefined;
}

/** `2 failures-in-a-row (last refused), 1 draining`. */
function countsOf(replicas: readonly Replica[], nowMs: number): string {
  const counts = new Map<string, number>();
  for (const replica of replicas) {
    const why = outFor(replica, nowMs) ?? "takes work";
    const last = replica.ejected && replica.last !== undefined ? ` (last ${describe(replica.last)})` : "";
    counts.set(why + last, (counts.get(why + last) ?? 0) + 1);
  }
  return [...counts].map(([why, count]) => `${count} ${why}`).join(", ");
}

function describe(outcome: Outcome): string {
  const label = outcomeLabel(outcome);
  return outcome.kind === "answer" ? outcome.problemType ?? label : `${label}, ${outcome.detail}`;
}
