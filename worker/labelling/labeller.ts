// Labeller: asks the model, reads the answer, tries one repair, and otherwise says why there is no label.

import type { ModelPrice } from "../../shared/config/schemas.ts";
import { costUsd } from "../core/budget.ts";
import { readCompletion } from "../core/answer/completion.ts";
import { calibrated, spanConfidence } from "../core/answer/confidence.ts";
import { estimatedTokens, type Excerpt, excerptOf } from "../core/excerpt.ts";
import type { Label } from "../core/label.ts";
import type { Completion, Llm, LlmFailure } from "../core/llm.ts";
import { correctionFor, labelVersion, type PromptWriter, type TicketText } from "../core/prompt.ts";
import type { Taxonomy } from "../core/taxonomy.ts";

/** What a label is made with. */
export interface LabellingDeps {
  readonly llm: Llm;
  readonly taxonomy: Taxonomy;
  readonly prompts: PromptWriter;
  readonly rules?: LabellingRules;
}

/** What may be set about labels. */
export interface LabellingRules {
  readonly prices: readonly ModelPrice[];
  /** Estimated tokens of a ticket beyond which its middle is cut. */
  readonly ticketTokensMax: number;
  readonly confidenceTemperature: number;
}

/** Tokens are estimated, and the instructions around a ticket are not cut: less than the share that fits is sent. */
const FITTING_MARGIN = 0.7;
/** A ticket of so few tokens is not cut: nothing would be left of it to label. */
const SHORT_TOKENS = 20;
const DEFAULT_RULES: LabellingRules = { prices: [], ticketTokensMax: 6_000, confidenceTemperature: 1 };

/** A label, or why there is none. */
export type Labelling =
  | { readonly kind: "labelled"; readonly label: Label }
  /** Refusals, or something outside the taxonomy. `calls`: those that were paid for. */
  | { readonly kind: "unusable"; readonly calls: number }
  | { readonly kind: "llm_failed"; readonly failure: LlmFailure; readonly calls: number };

/** Buys labels. `signal` aborts a call; with `callsMax` 1 no repair is tried. */
export interface Labeller {
  /** The version every label bought now is stored under. */
  readonly labelVersion: string;
  readonly label: (
    ticket: TicketText,
    signal: AbortSignal | undefined,
    callsMax?: number,
  ) => Promise<Labelling>;
}

/** A labeller that sends every ticket in a prompt of its own. */
export function singleLabeller(deps: LabellingDeps): Labeller {
  return {
    labelVersion: labelVersion(deps.llm.model, deps.prompts.fingerprint),
    label: (ticket, signal, callsMax) => labelOne(deps, ticket, signal, callsMax),
  };
}

/** Asks the model for a ticket's label. */
export async function labelOne(
  deps: LabellingDeps,
  ticket: TicketText,
  signal: AbortSignal | undefined,
  callsMax = Infinity,
): Promise<Labelling> {
  const { ticketTokensMax } = deps.rules ?? DEFAULT_RULES;
  const { answer: first, excerpt: { text, truncated } } = await askFitting(
    deps,
    ticket,
    ticketTokensMax,
    signal,
  );
  if (first.kind === "failed") return { kind: "llm_failed", failure: first, calls: first.billed ? 1 : 0 };
  const label = labelIn(deps, first);
  if (label !== undefined) return { kind: "labelled", label: { ...label, truncated } };
  if (callsMax <= 1) return { kind: "unusable", calls: 1 };
  const second = await deps.llm.complete(deps.prompts.write(text, correctionFor(deps.taxonomy)), signal);
  if (second.kind === "failed") return { kind: "llm_failed", failure: second, calls: second.billed ? 2 : 1 };
  const repaired = labelIn(deps, {
    ...second,
    cachedTokens: (first.cachedTokens ?? 0) + (second.cachedTokens ?? 0),
    inputTokens: first.inputTokens + second.inputTokens,
    outputTokens: first.outputTokens + second.outputTokens,
  });
  return repaired === undefined
    ? { kind: "unusable", calls: 2 }
    : { kind: "labelled", label: { ...repaired, truncated } };
}

/** Asks for a ticket that is too long once more, cut to what fits. */
async function askFitting(
  { llm, prompts }: LabellingDeps,
  ticket: TicketText,
  tokensMax: number,
  signal: AbortSignal | undefined,
): Promise<{ readonly answer: Completion | LlmFailure; readonly excerpt: Excerpt }> {
  const excerpt = excerptOf(ticket, tokensMax);
  const answer = await llm.complete(prompts.write(excerpt.text), signal);
  if (answer.kind === "completed" || answer.cause !== "too_long") return { answer, excerpt };
  const tokens = estimatedTokens(excerpt.text.subject) + estimatedTokens(excerpt.text.body);
  if (tokens <= SHORT_TOKENS) return { answer, excerpt };
  const share = Math.min(0.5, (answer.fittingShare ?? 1) * FITTING_MARGIN);
  const shorter = excerptOf(ticket, Math.max(1, Math.floor(tokens * share)));
  return { answer: await llm.complete(prompts.write(shorter.text), signal), excerpt: shorter };
}

/** The label a completion holds. `offset` is where its content begins in the text that the tokens make up. */
export function labelIn(
  { llm, taxonomy, prompts, rules = DEFAULT_RULES }: LabellingDeps,
  completion: Completion,
  offset = 0,
): Label | undefined {
  const { content, tokens, model, inputTokens, outputTokens } = completion;
  const reading = readCompletion(content, taxonomy, prompts.leaks);
  if (reading === undefined) return undefined;
  const confidence = spanConfidence(content, reading.span, tokens, offset);
  return {
    category: reading.category,
    reason: reading.reason,
    language: reading.language,
    confidence: confidence === null ? null : calibrated(confidence, rules.confidenceTemperature),
    model,
    labelVersion: labelVersion(llm.model, prompts.fingerprint),
    inputTokens,
    outputTokens,
    costUsd: costUsd(rules.prices, completion),
    truncated: false,
  };
}
