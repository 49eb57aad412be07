// A labeller that asks a model at an OpenAI-compatible address with the same code as the worker.

import { parseRetryAfter } from "../../../shared/contract/retry_after.ts";
import { promptWriter } from "../../../worker/core/prompt.ts";
import { labelNames, parseTaxonomy } from "../../../worker/core/taxonomy.ts";
import { type Labelling, type LabellingRules, labelOne } from "../../../worker/labelling/labeller.ts";
import { type LlmConfig, openaiLlm } from "../../../worker/llm/client.ts";
import defaultTaxonomy from "../../../worker/taxonomy.json" with { type: "json" };
import type { LabelAttempt, Labeller } from "./labeller.ts";
import type { Price } from "../subject.ts";

/** How the model is asked. */
export interface Asking {
  readonly llm: LlmConfig;
  /** Parsed JSON of a taxonomy file; undefined for the worker's own. */
  readonly taxonomy: unknown;
  /** A system message instead of the worker's own. */
  readonly system: string | undefined;
  readonly price: Price | undefined;
  /** Prices, cuts and calibration, as the worker has them. */
  readonly rules: LabellingRules;
}

const WAIT_DEFAULT_MS = 1_000;

/**
 * A labeller that pays for every label.
 *
 * @throws {TaxonomyError} when the taxonomy cannot be used.
 */
export function promptedLabeller(
  { llm, taxonomy, system, price, rules }: Asking,
  nowMs: () => number,
): Labeller {
  const labels = parseTaxonomy(taxonomy ?? defaultTaxonomy);
  const own = promptWriter(labels);
  const prompts = system === undefined ? own : {
    ...own,
    system,
    write: (...asked: Parameters<typeof own.write>) => ({ ...own.write(...asked), system }),
  };
  const deps = { llm: openaiLlm(llm), taxonomy: labels, prompts, rules };
  return {
    labels: labelNames(labels),
    close: () => Promise.resolve(),
    label: async (ticket, signal) => attemptOf(await labelOne(deps, ticket, signal), price, nowMs()),
  };
}

function attemptOf(labelling: Labelling, price: Price | undefined, nowMs: number): LabelAttempt {
  switch (labelling.kind) {
    case "labelled": {
      const { category, confidence, inputTokens, outputTokens, costUsd } = labelling.label;
      const priced = price === undefined ? costUsd : costOf(price, inputTokens, outputTokens);
      return { kind: "labelled", category, confidence, inputTokens, outputTokens, costUsd: priced };
    }
    case "unusable":
      return { kind: "failed", reason: "unusable answer" };
    case "llm_failed": {
      const { cause, headers } = labelling.failure;
      if (cause !== "rate_limited") return { kind: "failed", reason: cause };
      return {
        kind: "wait",
        waitMs: parseRetryAfter(headers["retry-after"], nowMs) ?? WAIT_DEFAULT_MS,
        reason: cause,
      };
    }
    default:
      return labelling satisfies never;
  }
}

function costOf({ inputUsd, outputUsd }: Price, inputTokens: number, outputTokens: number): number {
  return (inputTokens * inputUsd + outputTokens * outputUsd) / 1_000_000;
}
