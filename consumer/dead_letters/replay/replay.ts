// Replay: sends dead letters through the retry topic: canaries first, then the rest, then what was parked meanwhile.
//
// A replay that is killed has sent whole batches with their marks; run again, it goes on behind them.

import type { OffsetRange } from "../../records/log_access.ts";
import type { DeadLetter } from "../letter.ts";
import type { DeadLetterPorts, LetterSender } from "../ports.ts";
import type { Found } from "../scan.ts";
import { type CanaryResult, type Sent, watchCanaries } from "./canary.ts";
import { byOrigin } from "./key_order.ts";
import type { ReplayEnd, ReplayProgress, ReplayRequest, ReplaySummary } from "./request.ts";
import { countsOf, type Selection, selectLate, selectOpen } from "./selection.ts";
import { SliceSender } from "./slice_sender.ts";

/** The consumer hears of a replay within this time, in ms; what comes later waits instead of being parked. */
const LATECOMERS_MS = 1500;
const ROUNDS_MAX = 5;

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
  // The sender comes before the reading, so that nobody else can replay or drop what is read.
  const sender = request.dryRun ? undefined : await ports.openSender();
  try {
    progress("reading", 0, 0);
    const selection = await selectOpen(ports, request, signal);
    if (sender !== undefined) return await sendAll(ports, request, selection, sender, progress, signal);
    return { ...countsOf(selection, request.max), end: "dry-run", replayed: 0, canary: undefined };
  } finally {
    await sender?.close();
  }
}

/** Sends what is selected, and then what was parked behind it meanwhile. */
async function sendAll(
  ports: DeadLetterPorts,
  request: ReplayRequest,
  selection: Selection,
  sender: LetterSender,
  progress: ReplayProgress,
  signal: AbortSignal,
): Promise<ReplaySummary> {
  const send = (selection: Selection, canary: number) =>
    new Run(ports, { ...request, canary }, selection, sender, progress, signal).run();
  let summary = await send(selection, request.canary);
  for (let round = 0; round < ROUNDS_MAX && selection.parked && summary.end === "done"; round++) {
    if (request.max !== undefined || signal.aborted) break;
    await ports.pause(LATECOMERS_MS, signal);
    const late = await send(await selectLate(ports, request.filter, signal), 0);
    if (late.meant === 0) break;
    const [meant, replayed] = [summary.meant + late.meant, summary.replayed + late.replayed];
    summary = { ...summary, end: late.end, meant, replayed };
  }
  return summary;
}

/** One selection on its way. */
class Run {
  readonly #ports: DeadLetterPorts;
  readonly #request: ReplayRequest;
  readonly #selection: Selection;
  readonly #slices: SliceSender;
  readonly #progress: ReplayProgress;
  readonly #signal: AbortSignal;
  readonly #counts: ReturnType<typeof countsOf>;
  #replayed = 0;

  constructor(
    ports: DeadLetterPorts,
    request: ReplayRequest,
    selection: Selection,
    sender: LetterSender,
    progress: ReplayProgress,
    signal: AbortSignal,
  ) {
    this.#ports = ports;
    this.#request = request;
    this.#selection = selection;
    this.#slices = new SliceSender(ports, sender, request.rate, signal);
    this.#progress = progress;
    this.#signal = signal;
    this.#counts = countsOf(selection, request.max);
  }

  /** Canaries come from the first page: they are few. */
  async run(): Promise<ReplaySummary> {
    let canary: CanaryResult | undefined;
    try {
      for await (const page of this.#selection.found.pages(this.#signal)) {
        let letters = this.#chosen(page);
        if (this.#request.canary > 0 && canary === undefined && letters.length > 0) {
          canary = await this.#sendCanaries(letters.slice(0, this.#request.canary));
          letters = letters.slice(this.#request.canary);
        }
        if (canary !== undefined && canary.end !== "settled") break;
        await this.#sendRest(letters);
        if (this.#replayed >= this.#counts.meant || this.#signal.aborted) break;
      }
    } catch (error) {
      // Reading was stopped, not sending: what was sent is whole, with its marks.
      if (!this.#signal.aborted || error !== this.#signal.reason) throw error;
    }
    return { ...this.#counts, end: this.#end(canary), replayed: this.#replayed, canary };
  }

  #chosen(page: readonly Found[]): readonly DeadLetter[] {
    const { kindOf } = this.#selection;
    return page.filter(({ state, letter }) => state === "open" && kindOf(letter) === "meant")
      .map(({ letter }) => letter).sort(byOrigin).slice(0, this.#counts.meant - this.#replayed);
  }

  async #sendCanaries(letters: readonly DeadLetter[]): Promise<CanaryResult> {
    const before = await this.#ends(letters);
    const sent: Sent[] = [];
    for await (const slice of this.#slices.send(letters)) sent.push(...slice);
    this.#replayed += sent.length;
    return await watchCanaries(this.#ports, sent, before, {
      timeoutMs: this.#request.canaryTimeoutMs,
      signal: this.#signal,
      settled: (count) => this.#progress("canary", count, sent.length),
    });
  }

  async #sendRest(letters: readonly DeadLetter[]): Promise<void> {
    const tell = () => this.#progress("replaying", this.#replayed, this.#counts.meant);
    tell();
    for await (const slice of this.#slices.send(letters)) {
      this.#replayed += slice.length;
      tell();
    }
  }

  #end(canary: CanaryResult | undefined): ReplayEnd {
    if (canary?.end === "came-back") return "canary-came-back";
    if (canary?.end === "timed-out") return "canary-not-settled";
    const whole = this.#replayed === this.#counts.meant && canary?.end !== "interrupted";
    return whole ? "done" : "interrupted";
  }

  async #ends(letters: readonly DeadLetter[]): Promise<readonly OffsetRange[]> {
    const topics = [...new Set(letters.map(({ topic }) => topic))];
    return (await Promise.all(topics.map((topic) => this.#ports.offsets.ranges(topic)))).flat();
  }
}
