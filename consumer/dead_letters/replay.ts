// Replays dead letters through the retry topic, slice by slice, each together with the mark that says it was done.
//
// Killed anywhere, it has sent whole slices only, and their marks with them: run again, it goes on behind them.

import type { OffsetRange } from "../kafka/topic_reader.ts";
import { type CanaryResult, type Sent, watchCanaries } from "./canary.ts";
import { type DeadLetter, positionOf } from "./dead_letter.ts";
import type { Filter } from "./filter.ts";
import { marksFor } from "./marks.ts";
import { Placement } from "./placement.ts";
import type { DeskPorts, LetterSender } from "./ports.ts";
import { type Found, scan } from "./scan.ts";
import { nextSlice } from "./slices.ts";

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
  /** Left out: they do not say where they came from. */
  readonly foreign: number;
  readonly canary: CanaryResult | undefined;
}

/** Told as it goes on. */
export type ReplayProgress = (phase: "reading" | "canary" | "replaying", done: number, total: number) => void;

/**
 * Replays. Ends between two slices when `signal` fires.
 *
 * @throws {SenderSuperseded} when another replay of this group began.
 */
export async function replay(
  ports: DeskPorts,
  request: ReplayRequest,
  progress: ReplayProgress,
  signal: AbortSignal,
): Promise<ReplaySummary> {
  // First the right to send, then the reading: what another replay has sent by then is final.
  const sender = request.dryRun ? undefined : await ports.openSender();
  try {
    progress("reading", 0, 0);
    const choice = choose((await scan(ports, request.filter, signal)).found, request);
    const counts = { meant: choice.letters.length, looping: choice.looping, foreign: choice.foreign };
    if (sender === undefined) return { ...counts, end: "dry-run", replayed: 0, canary: undefined };
    return { ...counts, ...await new Replay(ports, request, sender, progress, signal).run(choice.letters) };
  } finally {
    await sender?.close();
  }
}

/** Those that can be replayed, in the order they were written in: a key's records stay in order. */
function choose(found: readonly Found[], { max, replaysMax }: ReplayRequest) {
  const open = found.filter(({ state }) => state === "open").map(({ letter }) => letter);
  const own = open.filter(({ origin }) => origin !== undefined);
  const letters = own.filter(({ replays }) => replays < replaysMax).sort((a, b) =>
    a.topic.localeCompare(b.topic) || a.partition - b.partition || a.offset - b.offset
  );
  return {
    letters: letters.slice(0, max),
    looping: own.length - letters.length,
    foreign: open.length - own.length,
  };
}

class Replay {
  readonly #ports: DeskPorts;
  readonly #request: ReplayRequest;
  readonly #sender: LetterSender;
  readonly #progress: ReplayProgress;
  readonly #signal: AbortSignal;
  readonly #placement: Placement;
  #replayed = 0;
  #total = 0;

  constructor(
    ports: DeskPorts,
    request: ReplayRequest,
    sender: LetterSender,
    progress: ReplayProgress,
    signal: AbortSignal,
  ) {
    [this.#ports, this.#request, this.#sender] = [ports, request, sender];
    [this.#progress, this.#signal] = [progress, signal];
    this.#placement = new Placement(ports);
  }

  async run(letters: readonly DeadLetter[]): Promise<Pick<ReplaySummary, "end" | "replayed" | "canary">> {
    this.#total = letters.length;
    const { canary: canaries, canaryTimeoutMs } = this.#request;
    const before = canaries > 0 ? await this.#ends(letters) : [];
    const sent = await this.#send(letters.slice(0, canaries), "canary");
    const canary = sent.length === 0 ? undefined : await watchCanaries(
      this.#ports,
      sent,
      before,
      {
        timeoutMs: canaryTimeoutMs,
        signal: this.#signal,
        settled: (count) => this.#progress("canary", count, sent.length),
      },
    );
    const fine = canary === undefined || canary.end === "settled";
    if (fine) await this.#send(letters.slice(canaries), "replaying");
    return { end: this.#end(canary), replayed: this.#replayed, canary };
  }

  #end(canary: CanaryResult | undefined): ReplayEnd {
    if (canary?.end === "came-back") return "canary-came-back";
    if (canary?.end === "timed-out") return "canary-not-settled";
    const whole = this.#replayed === this.#total && canary?.end !== "interrupted";
    return whole ? "done" : "interrupted";
  }

  async #send(letters: readonly DeadLetter[], phase: "canary" | "replaying"): Promise<readonly Sent[]> {
    const sent: Sent[] = [];
    const { rate } = this.#request;
    if (phase === "replaying") this.#progress(phase, this.#replayed, this.#total);
    for (let from = 0; from < letters.length && !this.#signal.aborted;) {
      const startedMs = this.#ports.nowMs();
      const slice = nextSlice(letters, from, rate);
      sent.push(...await this.#sendSlice(slice));
      from += slice.length;
      this.#replayed += slice.length;
      if (phase === "replaying") this.#progress(phase, this.#replayed, this.#total);
      const restMs = rate === undefined ? 0 : slice.length * 1000 / rate - (this.#ports.nowMs() - startedMs);
      if (restMs > 0) await this.#ports.pause(restMs, this.#signal);
    }
    return sent;
  }

  async #sendSlice(letters: readonly DeadLetter[]): Promise<readonly Sent[]> {
    const placed = await this.#placement.place(letters, this.#signal);
    const offsets = await this.#sender.send([...placed, ...marksFor("replayed", letters)]);
    return letters.map((letter, at) => ({
      from: positionOf(letter),
      topic: placed[at]?.topic ?? "",
      partition: placed[at]?.partition ?? -1,
      offset: offsets[at] ?? -1,
    }));
  }

  async #ends(letters: readonly DeadLetter[]): Promise<readonly OffsetRange[]> {
    const topics = [...new Set(letters.map(({ topic }) => topic))];
    return (await Promise.all(topics.map((topic) => this.#ports.offsets.ranges(topic)))).flat();
  }
}
