// Labeller for several tickets in one prompt (LLM_BATCH); a ticket that the answer leaves out is asked for alone.

import { type BatchPart, batchParts, batchPrompt } from "../core/batch_prompt.ts";
import { excerptOf } from "../core/excerpt.ts";
import type { Completion, LlmFailureCause } from "../core/llm.ts";
import { labelVersion, type TicketText } from "../core/prompt.ts";
import { labelIn, type Labeller, type Labelling, type LabellingDeps, labelOne } from "./labeller.ts";

/** How tickets come together. */
export interface BatchLimits {
  readonly ticketsMax: number;
  /** How long the first ticket waits for company. */
  readonly lingerMs: number;
  /** Tickets with more estimated tokens go alone: they share no prompt with others. */
  readonly ticketTokensMax: number;
}

/** Failures that one ticket of several may be to blame for. */
const ABOUT_ONE_TICKET: ReadonlySet<LlmFailureCause> = new Set(["too_long", "content_refused"]);

interface Waiting {
  readonly ticket: TicketText;
  readonly callsMax: number;
  readonly resolve: (labelling: Labelling) => void;
}

/** Collects tickets; calls that a caller may abort go alone, because their end is nobody else's. */
export class BatchLabeller implements Labeller {
  readonly labelVersion: string;
  readonly #deps: LabellingDeps;
  readonly #limits: BatchLimits;
  #waiting: Waiting[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(deps: LabellingDeps, limits: BatchLimits) {
    // A ticket among others is not the same question: labels bought this way have a version of their own.
    const fingerprint = `${deps.prompts.fingerprint}-batch`;
    this.#deps = { ...deps, prompts: { ...deps.prompts, fingerprint } };
    this.#limits = limits;
    this.labelVersion = labelVersion(deps.llm.model, fingerprint);
  }

  label(ticket: TicketText, signal: AbortSignal | undefined, callsMax = Infinity): Promise<Labelling> {
    const tooLong = excerptOf(ticket, this.#limits.ticketTokensMax).truncated;
    if (signal !== undefined || tooLong || callsMax <= 1) {
      return labelOne(this.#deps, ticket, signal, callsMax);
    }
    return new Promise((resolve) => {
      this.#waiting.push({ ticket, callsMax, resolve });
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
    const { llm, taxonomy, prompts } = this.#deps;
    const [only] = batch;
    if (batch.length === 1 && only !== undefined) return await this.#labelAlone(only);
    const completion = await llm.complete(
      batchPrompt(prompts.system, taxonomy, batch.map((each) => each.ticket)),
      undefined,
    );
    if (completion.kind === "failed" && ABOUT_ONE_TICKET.has(completion.cause)) {
      await Promise.all(batch.map((each) => this.#labelAlone(each)));
      return;
    }
    if (completion.kind === "failed") {
      const failure = { ...completion, headers: withoutRate(completion.headers) };
      for (const { resolve } of batch) {
        resolve({ kind: "llm_failed", failure, calls: failure.billed ? 1 : 0 });
      }
      return;
    }
    const parts = batchParts(completion.content, batch.length);
    await Promise.all(batch.map((each, at) => this.#settle(each, completion, parts[at], at, batch.length)));
  }

  async #settle(
    waiting: Waiting,
    completion: Completion,
    part: BatchPart | undefined,
    at: number,
    count: number,
  ): Promise<void> {
    if (part === undefined) return await this.#labelAlone(waiting, 1);
    const share = {
      ...completion,
      content: part.content,
      inputTokens: shareOf(completion.inputTokens, at, count),
      outputTokens: shareOf(completion.outputTokens, at, count),
      cachedTokens: shareOf(completion.cachedTokens ?? 0, at, count),
    };
    const label = labelIn(this.#deps, share, part.from);
    if (label === undefined) return await this.#labelAlone(waiting, 1);
    waiting.resolve({ kind: "labelled", label });
  }

  /** @param before calls that were paid for it and came to nothing. */
  async #labelAlone({ ticket, callsMax, resolve }: Waiting, before = 0): Promise<void> {
    const labelling = await labelOne(this.#deps, ticket, undefined, callsMax - before);
    resolve(labelling.kind === "labelled" ? labelling : { ...labelling, calls: labelling.calls + before });
  }
}

/** Splits tokens so that the shares add up to the whole. */
function shareOf(tokens: number, at: number, count: number): number {
  return Math.floor(tokens / count) + (at < tokens % count ? 1 : 0);
}

/** Providers count calls: where several tickets share one, their figures say nothing about tickets. */
function withoutRate(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name === "retry-after"));
}
