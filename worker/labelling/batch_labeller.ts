// Labeller for several tickets in one prompt (LLM_BATCH). One ticket's text can speak for its neighbours: those that look
// hostile go alone, numbers and order are drawn, and a batch whose decoys come back wrong is asked again one by one.

import { type BatchPart, batchParts, batchPrompt } from "../core/batch/batch_prompt.ts";
import { excerptOf } from "../core/excerpt.ts";
import { hostileLook } from "../core/batch/hostile_text.ts";
import type { Completion, LlmFailure, LlmFailureCause } from "../core/llm.ts";
import { labelVersion, type TicketText } from "../core/prompt.ts";
import { type Decoy, Decoys, type SaidAlone, shuffled } from "./decoys.ts";
import { currentContext, doneFor, type TraceContext } from "../../shared/tracing/spans.ts";
import { labelIn, type Labeller, type Labelling, type LabellingDeps, labelOne } from "./labeller.ts";

/** How tickets come together. */
export interface BatchLimits {
  readonly ticketsMax: number;
  /** How long the first ticket waits for company. */
  readonly lingerMs: number;
  /** Tickets with more estimated tokens go alone: they share no prompt with others. */
  readonly ticketTokensMax: number;
}

/** Chance and what is told. */
export interface BatchPorts {
  /** From 0 to 1. */
  readonly random?: () => number;
  /** The decoys of a batch came back with other labels than alone; its tickets are asked for one by one. */
  readonly onDoubt?: () => void;
}

/** Failures that one ticket of several may be to blame for. */
const ABOUT_ONE_TICKET: ReadonlySet<LlmFailureCause> = new Set(["too_long", "content_refused"]);
/** Numbers of tickets have four digits. */
const ID_MIN = 1_000;
const ID_MAX = 9_999;

interface Waiting {
  readonly ticket: TicketText;
  readonly callsMax: number;
  readonly origin: TraceContext;
  readonly resolve: (labelling: Labelling) => void;
}

/** Collects tickets; calls that a caller may abort go alone, because their end is nobody else's. */
export class BatchLabeller implements Labeller {
  readonly labelVersion: string;
  readonly #deps: LabellingDeps;
  readonly #limits: BatchLimits;
  readonly #random: () => number;
  readonly #onDoubt: () => void;
  readonly #looksHostile: (ticket: TicketText) => boolean;
  readonly #decoys: Decoys;
  #waiting: Waiting[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(deps: LabellingDeps, limits: BatchLimits, ports: BatchPorts = {}) {
    // A ticket among others is not the same question: labels bought this way have a version of their own.
    const fingerprint = `${deps.prompts.fingerprint}-batch`;
    this.#deps = { ...deps, prompts: { ...deps.prompts, fingerprint } };
    this.#limits = limits;
    this.#random = ports.random ?? Math.random;
    this.#onDoubt = ports.onDoubt ?? (() => {});
    this.#looksHostile = hostileLook(deps.taxonomy);
    this.#decoys = new Decoys(deps.taxonomy, (ticket) => this.#saidAlone(ticket), this.#random);
    this.labelVersion = labelVersion(deps.llm.model, fingerprint);
  }

  label(ticket: TicketText, signal: AbortSignal | undefined, callsMax = Infinity): Promise<Labelling> {
    const isTooLong = () => excerptOf(ticket, this.#limits.ticketTokensMax).truncated;
    if (signal !== undefined || callsMax <= 1 || isTooLong() || this.#looksHostile(ticket)) {
      return labelOne(this.#deps, ticket, signal, callsMax);
    }
    return new Promise((resolve) => {
      this.#waiting.push({ ticket, callsMax, origin: currentContext(), resolve });
      if (this.#waiting.length >= this.#limits.ticketsMax) this.#send();
      else this.#timer ??= setTimeout(() => this.#send(), this.#limits.lingerMs);
    });
  }

  #send(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const batch = this.#waiting;
    this.#waiting = [];
    void this.#labelAll(batch);
  }

  async #labelAll(batch: readonly Waiting[]): Promise<void> {
    const decoys = batch.length === 1 ? undefined : await this.#decoys.draw();
    if (decoys === undefined) return await this.#labelEachAlone(batch);
    if ("kind" in decoys) return fail(batch, decoys);
    const { llm, taxonomy, prompts } = this.#deps;
    const ids = drawnIds(batch.length + decoys.length, this.#random);
    const all = [...batch.map(({ ticket }) => ticket), ...decoys]
      .map(({ subject, body }, at) => ({ id: ids[at] ?? NaN, subject, body }));
    const asked = shuffled(all, this.#random);
    const completion = await doneFor(
      batch.map(({ origin }) => origin),
      () => llm.complete(batchPrompt(prompts.system, taxonomy, asked), undefined),
    );
    if (completion.kind === "failed" && ABOUT_ONE_TICKET.has(completion.cause)) {
      return await this.#labelEachAlone(batch);
    }
    if (completion.kind === "failed") return fail(batch, completion);
    const parts = batchParts(completion.content);
    const partOf = (at: number) => parts.get(ids[at] ?? NaN);
    const wrong = decoys.filter((decoy, at) =>
      !this.#isAsAlone(decoy, completion, partOf(batch.length + at))
    );
    if (wrong.length > 0) {
      this.#onDoubt();
      return await this.#labelEachAlone(batch);
    }
    await Promise.all(batch.map((each, at) => this.#settle(each, completion, partOf(at), at, batch.length)));
  }

  #isAsAlone(decoy: Decoy, completion: Completion, part: BatchPart | undefined): boolean {
    const category = part &&
      labelIn(this.#deps, { ...completion, content: part.content }, part.from)?.category;
    if (category === decoy.category) return true;
    this.#decoys.forget(decoy);
    return false;
  }

  async #settle(
    waiting: Waiting,
    completion: Completion,
    part: BatchPart | undefined,
    at: number,
    count: number,
  ): Promise<void> {
    const share = {
      ...completion,
      content: part?.content ?? "",
      inputTokens: shareOf(completion.inputTokens, at, count),
      outputTokens: shareOf(completion.outputTokens, at, count),
      cachedTokens: shareOf(completion.cachedTokens ?? 0, at, count),
    };
    const label = part && labelIn(this.#deps, share, part.from);
    if (label === undefined) return await this.#labelAlone(waiting, 1);
    waiting.resolve({ kind: "labelled", label });
  }

  async #saidAlone(ticket: TicketText): Promise<SaidAlone> {
    const labelling = await labelOne(this.#deps, ticket, undefined, 1);
    if (labelling.kind === "labelled") return labelling.label.category;
    const isAway = labelling.kind === "llm_failed" && !ABOUT_ONE_TICKET.has(labelling.failure.cause);
    return isAway ? labelling.failure : undefined;
  }

  async #labelEachAlone(batch: readonly Waiting[]): Promise<void> {
    await Promise.all(batch.map((each) => this.#labelAlone(each)));
  }

  /** @param before calls that were paid for it and came to nothing. */
  async #labelAlone({ ticket, callsMax, origin, resolve }: Waiting, before = 0): Promise<void> {
    const labelling = await doneFor(
      [origin],
      () => labelOne(this.#deps, ticket, undefined, callsMax - before),
    );
    resolve(labelling.kind === "labelled" ? labelling : { ...labelling, calls: labelling.calls + before });
  }
}

function fail(batch: readonly Waiting[], failed: LlmFailure): void {
  const failure = { ...failed, headers: withoutRate(failed.headers) };
  for (const { resolve } of batch) resolve({ kind: "llm_failed", failure, calls: failure.billed ? 1 : 0 });
}

/** Different numbers that no ticket can guess. */
function drawnIds(count: number, random: () => number): readonly number[] {
  const ids = new Set<number>();
  while (ids.size < count) ids.add(ID_MIN + Math.floor(random() * (ID_MAX - ID_MIN + 1)));
  return [...ids];
}

/** Splits tokens so that the shares add up to the whole. */
function shareOf(tokens: number, at: number, count: number): number {
  return Math.floor(tokens / count) + (at < tokens % count ? 1 : 0);
}

/** Providers count calls: where several tickets share one, their figures say nothing about tickets. */
function withoutRate(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name === "retry-after"));
}
