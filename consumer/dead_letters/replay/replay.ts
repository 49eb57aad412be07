// Replays dead letters through the retry topic, slice by slice, each together with the mark that says it was done.
//
// Killed anywhere, it has sent whole slices only, and their marks with them: run again, it goes on behind them.

import type { KafkaRecord } from "../../records/record.ts";
import type { OffsetRange } from "../../records/log_access.ts";
import { type CanaryResult, type Sent, watchCanaries } from "./canary.ts";
import type { DeadLetter } from "../letter.ts";
import { recordPosition } from "../../records/position.ts";
import { type Filter, matches } from "../filter.ts";
import { byOrigin, firstThatStay, isBlocked, laneOf } from "./key_order.ts";
import { replayMarksFor } from "../marks/marks.ts";
import { RetryRecords } from "./retry_records.ts";
import type { DeadLetterPorts, LetterSender } from "../ports.ts";
import { type Found, type Scan, scan } from "../scan.ts";
import { nextSlice } from "../slices.ts";

/** The consumer hears of a replay within this time, in ms; what comes later waits instead of being parked. */
const LATECOMERS_MS = 1500;
const ROUNDS_MAX = 5;

/** What is asked for. */
export interface ReplayRequest {
  readonly filter: Filter;
  /** Records a second; undefined: as fast as can be. */
  readonly rate: number | undefined;
  /** Replays no more than so many. */
  readonly max: number | undefined;
  /** Sends nothing. */
  readonly dryRun: boolean;
  /** So many go first, and the rest only when they have settled for good; 0: all at once. */
  readonly canary: number;
  /** How long the canaries may take, in ms. */
  readonly canaryTimeoutMs: number;
  /** One that was replayed so often already is left where it is. */
  readonly replaysMax: number;
}

/** How it ended. */
export type ReplayEnd = "done" | "dry-run" | "interrupted" | "canary-came-back" | "canary-not-settled";

/** What was done. */
export interface ReplaySummary {
  readonly end: ReplayEnd;
  /** Open dead letters that are meant and may be replayed, `max` applied. */
  readonly meant: number;
  readonly replayed: number;
  /** Left out: replayed too often already. */
  readonly looping: number;
  /** Left out: parked behind letters that are not replayed. */
  readonly blocked: number;
  /** Left out: they do not say where they came from. */
  readonly foreign: number;
  readonly canary: CanaryResult | undefined;
}

/** Told as it goes on. */
export type ReplayProgress = (phase: "reading" | "canary" | "replaying", done: number, total: number) => void;

/**
 * Replays. Ends between two slices when `signal` fires.
 *
 * @throws {ProducerFenced} when another replay of this group began.
 */
export async function replay(
  ports: DeadLetterPorts,
  request: ReplayRequest,
  progress: ReplayProgress,
  signal: AbortSignal,
): Promise<ReplaySummary> {
  // First the right to send, then the reading: what another replay has sent by then is final.
  const sender = request.dryRun ? undefined : await ports.openSender();
  try {
    progress("reading", 0, 0);
    const mayGo: KindOf = ({ origin, replays }) =>
      origin === undefined ? "foreign" : replays < request.replaysMax ? "meant" : "looping";
    const choice = await choose(ports, request.filter, mayGo, signal);
    if (sender !== undefined) return await sendAll(ports, request, choice, sender, progress, signal);
    return { ...countsOf(choice, request), end: "dry-run", replayed: 0, canary: undefined };
  } finally {
    await sender?.close();
  }
}

/** Sends what is chosen, and then what was parked behind it meanwhile. */
async function sendAll(
  ports: DeadLetterPorts,
  request: ReplayRequest,
  choice: Choice,
  sender: LetterSender,
  progress: ReplayProgress,
  signal: AbortSignal,
): Promise<ReplaySummary> {
  const send = async (choice: Choice, request: ReplayRequest): Promise<ReplaySummary> => {
    const counts = countsOf(choice, request);
    const run = new Replay(
      ports,
      { ...request, kindOf: choice.kindOf },
      sender,
      progress,
      signal,
      counts.meant,
    );
    return { ...counts, ...await run.run(choice.found.pages(signal)) };
  };
  let summary = await send(choice, request);
  for (let round = 0; round < ROUNDS_MAX && choice.parked && summary.end === "done"; round++) {
    if (request.max !== undefined || signal.aborted) break;
    await ports.pause(LATECOMERS_MS, signal);
    const late = await send(await choose(ports, request.filter, isLate, signal), { ...request, canary: 0 });
    if (late.meant === 0) break;
    const [meant, replayed] = [summary.meant + late.meant, summary.replayed + late.replayed];
    summary = { ...summary, end: late.end, meant, replayed };
  }
  return summary;
}

/** Parked while their key's first letters were being read and sent; not those that came back. */
const isLate: KindOf = ({ behind, replays }) => behind !== undefined && replays === 0 ? "meant" : "looping";

function countsOf({ found }: Choice, { max }: ReplayRequest) {
  return {
    meant: Math.min(max ?? Infinity, found.open("meant")),
    looping: found.open("looping"),
    blocked: found.open("blocked"),
    foreign: found.open("foreign"),
  };
}

type Kind = "meant" | "looping" | "blocked" | "foreign";
type KindOf = (letter: DeadLetter) => Kind;

interface Choice {
  readonly found: Scan<Kind>;
  readonly kindOf: KindOf;
  /** Parked ones are among them. */
  readonly parked: boolean;
}

/** Which of those that the filter means are replayed. Without parked ones among them one look is enough. */
async function choose(
  ports: DeadLetterPorts,
  filter: Filter,
  mayGo: KindOf,
  signal: AbortSignal,
): Promise<Choice> {
  const lanes = new Set<string>();
  const kindOfFirst: KindOf = (letter) => {
    if (letter.behind !== undefined) lanes.add(laneOf(letter) ?? "");
    return mayGo(letter);
  };
  const found = await scan(ports, { filter, kindOf: kindOfFirst }, signal);
  if (lanes.size === 0) return { found, kindOf: mayGo, parked: false };
  const goes = (letter: DeadLetter, record: KafkaRecord) =>
    matches(filter, letter, record) && mayGo(letter) === "meant";
  const stays = await firstThatStay(ports, lanes, goes, signal);
  const kindOf: KindOf = (letter) =>
    mayGo(letter) === "meant" && isBlocked(letter, stays) ? "blocked" : mayGo(letter);
  return stays.size === 0
    ? { found, kindOf, parked: true }
    : { found: await scan(ports, { filter, kindOf }, signal), kindOf, parked: true };
}

class Replay {
  readonly #ports: DeadLetterPorts;
  readonly #request: ReplayRequest & { readonly kindOf: KindOf };
  readonly #sender: LetterSender;
  readonly #progress: ReplayProgress;
  readonly #signal: AbortSignal;
  readonly #retries: RetryRecords;
  readonly #total: number;
  #replayed = 0;

  constructor(
    ports: DeadLetterPorts,
    request: ReplayRequest & { readonly kindOf: KindOf },
    sender: LetterSender,
    progress: ReplayProgress,
    signal: AbortSignal,
    total: number,
  ) {
    [this.#ports, this.#request, this.#sender] = [ports, request, sender];
    [this.#progress, this.#signal, this.#total] = [progress, signal, total];
    this.#retries = new RetryRecords(ports);
  }

  /** Canaries come from the first page: they are few. */
  async run(
    pages: AsyncIterable<readonly Found[]>,
  ): Promise<Pick<ReplaySummary, "end" | "replayed" | "canary">> {
    let canary: CanaryResult | undefined;
    try {
      for await (const page of pages) {
        let letters = this.#chosen(page);
        if (this.#request.canary > 0 && canary === undefined && letters.length > 0) {
          canary = await this.#sendCanaries(letters.slice(0, this.#request.canary));
          letters = letters.slice(this.#request.canary);
        }
        if (canary !== undefined && canary.end !== "settled") break;
        await this.#send(letters, "replaying");
        if (this.#replayed >= this.#total || this.#signal.aborted) break;
      }
    } catch (error) {
      // Reading was stopped, not sending: whole slices are there, with their marks.
      if (!this.#signal.aborted || error !== this.#signal.reason) throw error;
    }
    return { end: this.#end(canary), replayed: this.#replayed, canary };
  }

  #chosen(page: readonly Found[]): readonly DeadLetter[] {
    const { kindOf } = this.#request;
    return page.filter(({ state, letter }) => state === "open" && kindOf(letter) === "meant")
      .map(({ letter }) => letter).sort(byOrigin).slice(0, this.#total - this.#replayed);
  }

  async #sendCanaries(letters: readonly DeadLetter[]): Promise<CanaryResult> {
    const before = await this.#ends(letters);
    const sent = await this.#send(letters, "canary");
    return await watchCanaries(this.#ports, sent, before, {
      timeoutMs: this.#request.canaryTimeoutMs,
      signal: this.#signal,
      settled: (count) => this.#progress("canary", count, sent.length),
    });
  }

  #end(canary: CanaryResult | undefined): ReplayEnd {
    if (canary?.end === "came-back") return "canary-came-back";
    if (canary?.end === "timed-out") return "canary-not-settled";
    const whole = this.#replayed === this.#total && canary?.end !== "interrupted";
    return whole ? "done" : "interrupted";
  }

  /** Answers with where canaries went; of the others nobody asks. */
  async #send(letters: readonly DeadLetter[], phase: "canary" | "replaying"): Promise<readonly Sent[]> {
    const sent: Sent[] = [];
    const { rate } = this.#request;
    if (phase === "replaying") this.#progress(phase, this.#replayed, this.#total);
    for (let from = 0; from < letters.length && !this.#signal.aborted;) {
      const startedMs = this.#ports.nowMs();
      const slice = nextSlice(letters, from, rate);
      const placed = await this.#sendSlice(slice);
      if (phase === "canary") sent.push(...placed);
      from += slice.length;
      this.#replayed += slice.length;
      if (phase === "replaying") this.#progress(phase, this.#replayed, this.#total);
      const restMs = rate === undefined ? 0 : slice.length * 1000 / rate - (this.#ports.nowMs() - startedMs);
      if (restMs > 0) await this.#ports.pause(restMs, this.#signal);
    }
    return sent;
  }

  async #sendSlice(letters: readonly DeadLetter[]): Promise<readonly Sent[]> {
    const placed = await this.#retries.place(letters, this.#signal);
    const at = (offsets: readonly number[]) =>
      placed.map(({ topic, partition }, each) => ({ topic, partition, offset: offsets[each] ?? -1 }));
    // The marks say where the replays are: whoever waits for them can see when they have settled.
    const offsets = await this.#sender.send(placed, (sent) => replayMarksFor(letters, at(sent)));
    return at(offsets).map((place, each) => ({ from: recordPosition(letters[each] ?? place), ...place }));
  }

  async #ends(letters: readonly DeadLetter[]): Promise<readonly OffsetRange[]> {
    const topics = [...new Set(letters.map(({ topic }) => topic))];
    return (await Promise.all(topics.map((topic) => this.#ports.offsets.ranges(topic)))).flat();
  }
}
