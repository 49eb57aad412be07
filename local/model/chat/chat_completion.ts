// An answer as OpenAI's chat completion object, log-probabilities and token counts included. Pure.

import type { AnswerPiece } from "./answer_text.ts";
import type { LabelProbability } from "./label_choice.ts";

/** The name under which the local model answers. */
export const MODEL_NAME = "ackpool-local-embeddings";

/** What the completion object says besides the answer. */
export interface CompletionFrame {
  readonly id: string;
  /** Seconds since the epoch. */
  readonly created: number;
  readonly fingerprint: string;
  readonly promptText: string;
  /** How many alternatives a token lists; undefined where no log-probabilities were asked for. */
  readonly topLogprobs: number | undefined;
}

/** The body of a successful answer. */
export function chatCompletion(
  pieces: readonly AnswerPiece[],
  frame: CompletionFrame,
): Record<string, unknown> {
  const content = pieces.map(({ text }) => text).join("");
  const promptTokens = countTokens(frame.promptText);
  const completionTokens = countTokens(content);
  const { topLogprobs } = frame;
  return {
    id: frame.id,
    object: "chat.completion",
    created: frame.created,
    model: MODEL_NAME,
    system_fingerprint: frame.fingerprint,
    choices: [{
      index: 0,
      message: { role: "assistant", content, refusal: null },
      logprobs: topLogprobs === undefined
        ? null
        : { content: pieces.map((piece) => tokenOf(piece, topLogprobs)), refusal: null },
      finish_reason: "stop",
    }],
    usage: {
      prompt_tokens: promptTokens,
      completion_tokens: completionTokens,
      total_tokens: promptTokens + completionTokens,
    },
  };
}

/** About what a tokenizer would count: a word of up to 6 letters is one token, every further 4 letters and every sign one more. */
export function countTokens(text: string): number {
  const words = text.match(/[\p{L}\p{N}]+|[^\s\p{L}\p{N}]/gu) ?? [];
  return words.reduce((sum, word) => sum + 1 + Math.max(0, Math.ceil((word.length - 6) / 4)), 0);
}

function tokenOf({ text, odds }: AnswerPiece, topLogprobs: number): Record<string, unknown> {
  const own = odds?.[0];
  return {
    ...token(text, own?.probability ?? 1),
    top_logprobs: (odds ?? [{ label: text, probability: 1 }]).slice(0, topLogprobs).map(alternative),
  };
}

function alternative({ label, probability }: LabelProbability): Record<string, unknown> {
  return token(label, probability);
}

function token(text: string, probability: number): Record<string, unknown> {
  return { token: text, logprob: logarithm(probability), bytes: [...new TextEncoder().encode(text)] };
}

/** OpenAI writes -9999 where a token is all but impossible: JSON has no minus infinity. */
function logarithm(probability: number): number {
  return probability <= 0 ? -9999 : Math.log(Math.min(1, probability));
}
