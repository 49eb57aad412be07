// The eleven checks of `why`, in the order in which a person on call asks them: each is well, in trouble, or not known.

import type { Cause } from "../../../shared/http/health.ts";
import { describeOutcome } from "../causes.ts";
import type { PartitionView } from "../view.ts";
import { backlogOf, type ReplicaFacts, type WhyFacts } from "./facts.ts";
import { count, perSecond, records, span } from "./words.ts";

/** The names, in order. */
export const CHECK_NAMES = [
  "kafka",
  "member",
  "partitions",
  "spread",
  "rebalance",
  "flow",
  "pool",
  "provider",
  "head",
  "dead-letters",
  "workers",
] as const;

/** One of them. */
export type CheckName = typeof CHECK_NAMES[number];

/** The answer to one question. */
export interface Check {
  readonly name: CheckName;
  readonly question: string;
  readonly state: "ok" | "trouble" | "unknown";
  /** The answer in words. */
  readonly text: string;
}

/** What answers a question where no cause does. */
type Answer = Pick<Check, "state" | "text">;

/** Where each cause belongs; those that are not named here hold up the flow as a whole. */
const CHECK_OF: Readonly<Record<string, CheckName>> = {
  "kafka-unavailable": "kafka",
  "kafka-credentials": "kafka",
  "kafka-certificate": "kafka",
  "topic-missing": "kafka",
  "topics-unknown": "kafka",
  "joining": "member",
  "kafka-join-refused": "member",
  "kafka-forbidden": "member",
  "partitions-unreadable": "spread",
  "commit-refused": "rebalance",
  "no-replica": "pool",
  "rate-limited": "provider",
  "stalled-head": "head",
  "dead-letter-flood": "dead-letters",
  "dead-letter-topic-unavailable": "dead-letters",
  "dead-letters-unread": "dead-letters",
  "outage": "workers",
  "misconfigured": "workers",
  "workers-not-ready": "workers",
};

const QUESTIONS: Readonly<Record<CheckName, string>> = {
  "kafka": "Is Kafka there?",
  "member": "Are we a member of the group?",
  "partitions": "Do we hold partitions?",
  "spread": "Is it one partition or all?",
  "rebalance": "Does the group rebalance?",
  "flow": "Is as much settled as arrives?",
  "pool": "Is the pool full or slow?",
  "provider": "Does the provider limit us?",
  "head": "Does one record hold others back?",
  "dead-letters": "Do dead letters wait?",
  "workers": "Do the workers reach database and model?",
};

/** A record that was tried so often and is not settled is shown as one that holds back. */
const STALLED_POSTS = 2;
/** An answer that takes longer than this on average is slow, in ms. */
const SLOW_MS = 15_000;

/** The check that a cause belongs to. */
export function checkOf(cause: Pick<Cause, "name">): CheckName {
  return CHECK_OF[cause.name] ?? "flow";
}

/** All eleven, in order. */
export function checksOf(facts: WhyFacts): readonly Check[] {
  return CHECK_NAMES.map((name) => {
    const causes = facts.causes.filter((cause) => checkOf(cause) === name);
    const answer = causes.length === 0 ? ANSWERS[name](facts) : {
      state: "trouble" as const,
      text: causes.map((cause) => `${cause.name}: ${cause.detail}`).join("; "),
    };
    return { name, question: QUESTIONS[name], ...answer };
  });
}

/** Partitions whose first unsettled record was tried again and again. */
export function stalledHeads({ partitions }: WhyFacts["view"]): readonly PartitionView[] {
  return partitions.filter(({ head }) =>
    head?.lastOutcome !== undefined && head.attemptsSent >= STALLED_POSTS
  );
}

const ok = (text: string): Answer => ({ state: "ok", text });
const trouble = (text: string): Answer => ({ state: "trouble", text });
const unknown = (text: string): Answer => ({ state: "unknown", text });

const ANSWERS: Readonly<Record<CheckName, (facts: WhyFacts) => Answer>> = {
  "kafka": () => ok("Yes, as far as we have to do with it"),
  "member": (facts) => isAway(facts) ? unknown("Kafka is not there") : ok(`Yes, of ${facts.group}`),
  "partitions": partitions,
  "spread": spread,
  "rebalance": ({ view }) =>
    view.rebalancing ? trouble("Yes: partitions are dealt out anew, which ends by itself") : ok("No"),
  "flow": flow,
  "pool": pool,
  "provider": provider,
  "head": head,
  "dead-letters": () => ok("None waits"),
  "workers": workers,
};

/** Whether Kafka or the group is in trouble already: then what follows from that is not told as a trouble of its own. */
function isAway({ causes }: WhyFacts): boolean {
  return causes.some((cause) => ["kafka", "member"].includes(checkOf(cause)));
}

function partitions(facts: WhyFacts): Answer {
  const { length } = facts.view.partitions;
  if (length > 0) return ok(`Yes, ${count(length)}`);
  if (isAway(facts)) return unknown("We are not a member");
  // With more members than partitions somebody has none.
  return ok("None now: the group has more members than partitions, or is dealing them out");
}

function spread(facts: WhyFacts): Answer {
  const { partitions } = facts.view;
  const behind = partitions.filter(({ backlog }) => backlog > 0);
  if (behind.length === 0) return partitions.length === 0 ? unknown("We hold none") : ok("None is behind");
  const most = behind.reduce((a, b) => a.backlog >= b.backlog ? a : b);
  const of = `${count(behind.length)} of ${count(partitions.length)}`;
  return ok(`${of} have records to do, most of them ${most.id} with ${count(most.backlog)}`);
}

function flow({ rates, view }: WhyFacts): Answer {
  const backlog = backlogOf(view);
  const waits = backlog === 0 ? "nothing waits" : `${records(backlog)} to do`;
  if (rates === undefined) return unknown(`Not looked long enough yet; ${waits}`);
  const { arrivedPerSecond: arrived, settledPerSecond: settled } = rates;
  const text = `${perSecond(arrived)} arrive and ${perSecond(settled)} are settled a second; ${waits}`;
  const falls = backlog > 0 && arrived > settled * 1.1 && (arrived - settled) * rates.overMs / 1000 >= 1;
  return falls ? trouble(`Less is: ${text}`) : ok(text);
}

function pool({ view, replicas }: WhyFacts): Answer {
  const using = `${count(view.inFlight)} of ${count(view.permits)} permits are in use`;
  const working = replicas.filter(({ permits }) => permits > 0);
  if (replicas.length === 0) {
    return ok(view.permits > 0 ? using : "No replica runs, and nothing is to be done");
  }
  const slow = working.filter(({ latencyMs }) => latencyMs > SLOW_MS);
  const text = `${using} at ${count(working.length)} of ${count(replicas.length)} replicas`;
  if (slow.length > 0 && slow.length === working.length) {
    return trouble(`Slow: an answer takes ${span(meanLatencyMs(working))}; ${text}`);
  }
  const full = view.permits > 0 && view.inFlight >= view.permits && backlogOf(view) > view.inFlight;
  return full ? ok(`Full, as it should be while records wait: ${text}`) : ok(text);
}

function meanLatencyMs(replicas: readonly ReplicaFacts[]): number {
  return replicas.reduce((sum, { latencyMs }) => sum + latencyMs, 0) / Math.max(1, replicas.length);
}

function provider({ provider, nowMs }: WhyFacts): Answer {
  if (provider === undefined) return ok("There is none that the pool knows of");
  const { restUntilMs, ratePerSecond } = provider;
  const rate = ratePerSecond === undefined ? "" : `at most ${perSecond(ratePerSecond)} attempts a second`;
  if (restUntilMs > nowMs) {
    return trouble(
      `It wants to be left alone for another ${span(restUntilMs - nowMs)}${rate && `; ${rate}`}`,
    );
  }
  return ok(rate === "" ? "No" : `It lets ${rate} through`);
}

function head({ view }: WhyFacts): Answer {
  const [first, ...others] = stalledHeads(view);
  if (first?.head?.lastOutcome === undefined) return ok("No");
  const { offset, attemptsSent, attemptsCounted, lastOutcome } = first.head;
  const more = others.length === 0 ? "" : `, and ${count(others.length)} more`;
  return trouble(
    `${first.id}/${offset} was tried ${attemptsSent} times (${attemptsCounted} counted), ` +
      `the last came to ${describeOutcome(lastOutcome)}${more}`,
  );
}

function workers({ replicas }: WhyFacts): Answer {
  const unwell = replicas.filter(({ complaints }) => complaints.length > 0);
  const [first] = unwell;
  if (first !== undefined) {
    const said = first.complaints.map(({ name, detail }) => `${name}: ${detail}`).join("; ");
    return trouble(
      `${count(unwell.length)} of ${count(replicas.length)} say no: ${first.address} says ${said}`,
    );
  }
  return replicas.length === 0 ? unknown("None runs") : ok("None says otherwise");
}
