// why(): one sentence that says what holds a consumer up, since when, on what evidence, what to do and what waiting costs.

import type { Cause } from "../../../shared/http/health.ts";
import { describeOutcome } from "../causes.ts";
import { type Check, CHECK_NAMES, checkOf, checksOf, stalledHeads } from "./checks.ts";
import { costOf } from "./costs.ts";
import { backlogOf, type WhyFacts } from "./facts.ts";
import { count, perSecond, records, sentence, span } from "./words.ts";

/** What the answer is about. */
interface Trouble {
  readonly name: string;
  readonly sinceMs: number;
  readonly detail: string;
  readonly remedy: string;
}

/** The body of `GET /why`: for the page, for `deno task why` and for programs. */
export interface WhyJson {
  readonly group: string;
  readonly state: "running" | "idle" | "held-up";
  /** All of it in one sentence. */
  readonly sentence: string;
  /** Name of what holds it up; null where nothing does, as are the next four. */
  readonly cause: string | null;
  /** ISO 8601. */
  readonly since: string | null;
  readonly evidence: string | null;
  /** What to do. */
  readonly remedy: string | null;
  /** What it costs to do nothing. */
  readonly cost: string | null;
  /** Eleven, in the order in which a person on call asks. */
  readonly checks: readonly Check[];
  /** All causes, as `/readyz` has them. */
  readonly causes: readonly (Omit<Cause, "sinceMs"> & { readonly since: string })[];
  readonly figures: {
    readonly backlog: number;
    readonly oldestAgeMs: number | null;
    readonly arrivedPerSecond: number | null;
    readonly settledPerSecond: number | null;
    readonly inFlight: number;
    readonly permits: number;
    readonly replicas: number;
    /** When nothing is left at this pace, in s; null where it is not getting less. */
    readonly drainSeconds: number | null;
  };
}

/** Computes the answer from what is known. */
export function why(facts: WhyFacts): WhyJson {
  const held = gravest(facts.causes) ?? stalledRecord(facts);
  const common = {
    group: facts.group,
    checks: checksOf(facts),
    causes: facts.causes.map(dated),
    figures: figuresOf(facts),
  };
  if (held === undefined) {
    const idle = common.figures.backlog === 0;
    return {
      ...common,
      state: idle ? "idle" : "running",
      sentence: idle ? idleSentence(facts) : runningSentence(common.figures),
      cause: null,
      since: null,
      evidence: null,
      remedy: null,
      cost: null,
    };
  }
  const { name, sinceMs, detail, remedy } = held;
  return {
    ...common,
    state: "held-up",
    sentence: `Held up by ${name} for ${span(facts.nowMs - sinceMs)}: ${sentence(detail)}`,
    cause: name,
    since: new Date(sinceMs).toISOString(),
    evidence: detail,
    remedy,
    cost: costOf(name, facts),
  };
}

/** The one that the first check in trouble names: what comes later often follows from it. */
function gravest(causes: readonly Cause[]): Cause | undefined {
  const rank = (cause: Cause) => CHECK_NAMES.indexOf(checkOf(cause));
  return causes.toSorted((a, b) => rank(a) - rank(b))[0];
}

/** Where nothing is left but records that are refused again and again, they are what it waits for. */
function stalledRecord({ view, nowMs }: WhyFacts): Trouble | undefined {
  const stalled = stalledHeads(view);
  const [first] = stalled;
  if (first?.head?.lastOutcome === undefined) return undefined;
  const { offset, sentMs, attemptsSent, attemptsCounted, lastOutcome } = first.head;
  if (view.partitions.some((each) => each.backlog > (stalled.includes(each) ? 1 : 0))) return undefined;
  const at = `${first.id}/${offset}`;
  return {
    name: "stalled-record",
    sinceMs: sentMs ?? nowMs,
    detail:
      `Nothing is left but ${
        stalled.length === 1 ? "one record" : records(stalled.length)
      }: ${at} was tried ` +
      `${attemptsSent} times (${attemptsCounted} counted), the last came to ${describeOutcome(lastOutcome)}`,
    remedy: `Mend what the answer says, or take it out: deno task dlq take ${at}`,
  };
}

function dated({ sinceMs, ...cause }: Cause): WhyJson["causes"][number] {
  return { ...cause, since: new Date(sinceMs).toISOString() };
}

function figuresOf({ view, rates, replicas, oldestAgeMs }: WhyFacts): WhyJson["figures"] {
  const backlog = backlogOf(view);
  const gainPerSecond = (rates?.settledPerSecond ?? 0) - (rates?.arrivedPerSecond ?? 0);
  return {
    backlog,
    oldestAgeMs,
    arrivedPerSecond: rates?.arrivedPerSecond ?? null,
    settledPerSecond: rates?.settledPerSecond ?? null,
    inFlight: view.inFlight,
    permits: view.permits,
    replicas: replicas.filter(({ permits }) => permits > 0).length,
    drainSeconds: backlog === 0 ? 0 : gainPerSecond > 0 ? Math.ceil(backlog / gainPerSecond) : null,
  };
}

function idleSentence({ view }: WhyFacts): string {
  return view.partitions.length === 0
    ? "Idle: this consumer holds no partition, so it has nothing to do."
    : "Idle: every record is settled.";
}

function runningSentence(
  { settledPerSecond, backlog, oldestAgeMs, drainSeconds, inFlight }: WhyJson["figures"],
): string {
  const pace = settledPerSecond === null
    ? `${count(inFlight)} in flight`
    : `${perSecond(settledPerSecond)} a second`;
  const age = oldestAgeMs === null ? "" : `, the oldest ${span(oldestAgeMs)} old`;
  const left = drainSeconds === null ? "" : `; done in about ${span(drainSeconds * 1000)}`;
  return `Running: ${pace}, ${records(backlog)} to do${age}${left}.`;
}
