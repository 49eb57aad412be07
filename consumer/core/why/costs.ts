// costOf(): what it costs to do nothing about a cause.

import { backlogOf, type WhyFacts } from "./facts.ts";
import { perSecond, records, span } from "./words.ts";

const NOTHING_LOST =
  "Nothing is lost and no record loses an attempt; delivery goes on by itself once it is mended.";
const ELSEWHERE = "Only these records wait; everything else goes on.";

/** By the cause's name. */
const COSTS: Readonly<Record<string, string>> = {
  "outage": NOTHING_LOST,
  "misconfigured": NOTHING_LOST,
  "workers-not-ready": NOTHING_LOST,
  "no-replica": NOTHING_LOST,
  "rate-limited": "Nothing is lost; it goes on by itself when the time is over.",
  "joining": "Nothing: it ends by itself.",
  "commit-refused": "What is settled and not committed is delivered again if this consumer is killed.",
  "dead-letter-flood":
    "One dead letter goes every 10 s by itself; the others hold their offsets back until then.",
  "dead-letter-topic-unavailable": ELSEWHERE,
  "dead-letters-unread": "Partitions that were just assigned wait; the others go on.",
  "partitions-unreadable": "Records of these partitions wait; the others go on.",
  "topics-unknown": "Topics that come now are not read; the known ones are.",
  "stalled-head": "Its partition waits until it is settled; the others go on.",
  "stalled-record":
    "It is tried again and again, each time after a longer pause; records that come go past it.",
};
const DEFAULT_COST = "Records wait in Kafka, for as long as the topic keeps them.";

/** What waits meanwhile, and what becomes of it. */
export function costOf(cause: string, { view, rates, oldestAgeMs }: WhyFacts): string {
  const cost = COSTS[cause] ?? DEFAULT_COST;
  const backlog = backlogOf(view);
  if (backlog === 0) return cost;
  const age = oldestAgeMs === null ? "" : `, the oldest for ${span(oldestAgeMs)}`;
  const comes = rates === undefined || rates.arrivedPerSecond === 0
    ? ""
    : `, and ${perSecond(rates.arrivedPerSecond)} a second come`;
  return `${records(backlog)} ${backlog === 1 ? "waits" : "wait"}${age}${comes}. ${cost}`;
}
