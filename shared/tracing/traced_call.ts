// Span of one call of a model: which, how many tokens, what it came to; nothing of what was asked or answered.

import { Attribute } from "./semantic_conventions.ts";
import { traced } from "./spans.ts";

/** What a call came to, as far as it is told. */
type Called =
  | { readonly kind: "completed"; readonly inputTokens: number; readonly outputTokens: number }
  | { readonly kind: "failed"; readonly cause: string };

/** Calls a model within a span. @param baseUrl of the provider; only its host and port are told. */
export function tracedCall<C extends Called>(
  model: string,
  baseUrl: string,
  call: () => Promise<C>,
): Promise<C> {
  return traced(
    () => ({
      name: `chat ${model}`,
      kind: "client",
      attributes: {
        [Attribute.genAiOperation]: "chat",
        // The protocol's; whose server speaks it is not known.
        [Attribute.genAiProvider]: "openai",
        [Attribute.genAiModel]: model,
        ...(URL.canParse(baseUrl) ? serverOf(new URL(baseUrl)) : {}),
      },
    }),
    async ({ set, fail }) => {
      const answer = await call();
      if (answer.kind === "failed") fail(answer.cause);
      else {
        set({
          [Attribute.genAiInputTokens]: answer.inputTokens,
          [Attribute.genAiOutputTokens]: answer.outputTokens,
        });
      }
      return answer;
    },
  );
}

function serverOf({ hostname, port, protocol }: URL) {
  return {
    [Attribute.serverAddress]: hostname,
    [Attribute.serverPort]: Number(port || (protocol === "https:" ? 443 : 80)),
  };
}
