// Labeller: asks the model, reads the answer, tries one repair, and otherwise says why there is no label.

import type { ModelPrice } from "../../shared/config/schemas.ts";
import { costUsd } from "../core/budget.ts";
import { readCompletion } from "../core/completion.ts";
import { calibrated, categoryConfidence } from "../core/confidence.ts";
import { excerptOf } from "../core/excerpt.ts";
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

const DEFAULT_RULES: LabellingRules = { prices: [], ticketTokensMax: 6_000, confidenceTemperature: 1 };

/** A label, or why there is none. */
export type Labelling =
  | { readonly kind: "labelled"; readonly label: Label }
  /** Twice a refusal or something outside the taxonomy. */
  | { readonly kind: "unusable" }
  | { readonly kind: "llm_failed"; readonly failure: LlmFailure };

/** Buys labels. `signal` aborts a call. */
export interface Labeller {
  /** The version every label bought now is stored under. */
  readonly labelVersion: string;
  readonly label: (ticket: TicketText, signal: AbortSignal | undefined) => Promise<Labelling>;
}

/** A labeller that sends every ticket in a prompt of its own. */
export function singleLabeller(deps: LabellingDeps): Labeller {
  return {
    labelVersion: labelVersion(deps.llm.model, deps.prompts.fingerprint),
    label: (ticket, signal) => labelOne(deps, ticket, signal),
  };
}

/** Asks the model for a ticket's label. */
export async function labelOne(
  deps: LabellingDeps,
  ticket: TicketText,
  signal: AbortSignal | undefined,
): Promise<Labelling> {
  const { ticketTokensMax } = deps.rules ?? DEFAULT_RULES;
  const { text, truncated } = excerptOf(ticket, ticketTokensMax);
  const first = await deps.llm.complete(deps.prompts.write(text), signal);
  if (first.kind === "failed") return { kind: "llm_failed", failure: first };
  const label = labelIn(deps, first);
  if (label !== undefined) return { kind: "labelled", label: { ...label, truncated } };
  const second = await deps.llm.complete(deps.prompts.write(text, correctionFor(deps.taxonomy)), signal);
  if (second.kind === "failed") return { kind: "llm_failed", failure: second };
  const repaired = labelIn(deps, {
    ...second,
    inputTokens: first.inputTokens + second.inputTokens,
    outputTokens: first.outputTokens + second.outputTokens,
  });
  return repaired === undefined
    ? { kind: "unusable" }
    : { kind: "labelled", label: { ...repaired, truncated } };
}

/** The label a completion holds. `offset` is where its content begins in the text that the tokens make up. */
export function labelIn(
  { llm, taxonomy, prompts, rules = DEFAULT_RULES }: LabellingDeps,
  { content, tokens, model, inputTokens, outputTokens }: Completion,
  offset = 0,
): Label | undefined {
  const reading = readCompletion(content, taxonomy, prompts.leaks);
  if (reading === undefined) return undefined;
  const confidence = categoryConfidence(content, tokens, offset);
  return {
    category: reading.category,
    reason: reading.reason,
    language: reading.language,
    confidence: confidence === null ? null : calibrated(confidence, rules.confidenceTemperature),
    model,
    labelVersion: labelVersion(llm.model, prompts.fingerprint),
    inputTokens,
    outputTokens,
    costUsd: costUsd(rules.prices, model, inputTokens, outputTokens),
    truncated: false,
  };
}
