// Buys one label: a completion, a look at what it says, at most one repair, and then a typed failure.

import { categoryConfidence } from "./core/confidence.ts";
import { readCompletion } from "./core/completion.ts";
import type { Label } from "./core/label.ts";
import type { Completion, Llm, LlmFailure } from "./core/llm.ts";
import { correctionFor, labelVersion, type PromptWriter, type TicketText } from "./core/prompt.ts";
import type { Taxonomy } from "./core/taxonomy.ts";

/** What a label is made with. */
export interface LabellingDeps {
  readonly llm: Llm;
  readonly taxonomy: Taxonomy;
  readonly prompts: PromptWriter;
}

/** A label, or why there is none. */
export type Labelling =
  | { readonly kind: "labelled"; readonly label: Label }
  /** Twice a refusal or something outside the taxonomy. */
  | { readonly kind: "unusable" }
  | { readonly kind: "llm_failed"; readonly failure: LlmFailure };

/** The version every label bought now is stored under. */
export function currentLabelVersion({ llm, prompts }: LabellingDeps): string {
  return labelVersion(llm.model, prompts.fingerprint);
}

/** Asks the model for a ticket's label. `signal` aborts the call. */
export async function buyLabel(
  deps: LabellingDeps,
  ticket: TicketText,
  signal: AbortSignal | undefined,
): Promise<Labelling> {
  const first = await deps.llm.complete(deps.prompts.write(ticket), signal);
  if (first.kind === "failed") return { kind: "llm_failed", failure: first };
  const label = labelOf(deps, first, []);
  if (label !== undefined) return { kind: "labelled", label };
  const second = await deps.llm.complete(deps.prompts.write(ticket, correctionFor(deps.taxonomy)), signal);
  if (second.kind === "failed") return { kind: "llm_failed", failure: second };
  const repaired = labelOf(deps, second, [first]);
  return repaired === undefined ? { kind: "unusable" } : { kind: "labelled", label: repaired };
}

/** `earlier` completions were paid for too. */
function labelOf(
  deps: LabellingDeps,
  completion: Completion,
  earlier: readonly Completion[],
): Label | undefined {
  const reading = readCompletion(completion.content, deps.taxonomy, deps.prompts.system);
  if (reading === undefined) return undefined;
  const paid = [...earlier, completion];
  return {
    ...reading,
    confidence: categoryConfidence(completion.content, completion.tokens),
    model: completion.model,
    labelVersion: currentLabelVersion(deps),
    inputTokens: paid.reduce((sum, { inputTokens }) => sum + inputTokens, 0),
    outputTokens: paid.reduce((sum, { outputTokens }) => sum + outputTokens, 0),
    costUsd: null,
    truncated: false,
  };
}
