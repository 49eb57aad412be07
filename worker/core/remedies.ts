// Remedies: what an operator does about a provider or a database that keeps us from classifying.

import type { LlmFailure } from "./llm.ts";
import type { StoreFailure } from "./label_store.ts";

/** Codes of {@link LlmFailure.detail} that mean money. */
const MONEY = /quota|balance|credit|fund|billing|payment|arrearage|\b402\b/i;
/** And those that mean the key. */
const KEY = /api.?key|auth|permission|access_denied|\b401\b/i;

/** What is done about a failed call, where the failure is not the ticket's own. */
export function llmRemedy({ cause, detail }: Pick<LlmFailure, "cause" | "detail">): string | undefined {
  switch (cause) {
    case "no_model":
      return "Set OPENAI_MODEL to a model that this provider has and this key may use, or correct OPENAI_BASE_URL; then start the workers again.";
    case "refused":
      if (MONEY.test(detail)) {
        return "Pay or raise the account's quota at the provider. Delivery goes on by itself.";
      }
      if (KEY.test(detail)) {
        return "Set OPENAI_API_KEY to a key that the provider takes, and start the workers again.";
      }
      return "Check OPENAI_API_KEY, OPENAI_BASE_URL, OPENAI_MODEL and the account's rights.";
    case "unavailable":
    case "timeout":
      return "Look at the provider's status page and at OPENAI_BASE_URL. The worker tries again by itself.";
    case "over_budget":
      return "Wait for midnight UTC, or raise TOKENS_PER_DAY or USD_PER_DAY and start the workers again.";
    case "rate_limited":
      return "Nothing needs doing: it goes on by itself. More is to be had from the provider alone.";
    case "too_long":
    case "content_refused":
    case "aborted":
      return undefined;
    default:
      return cause satisfies never;
  }
}

/** What is done about a statement that failed, where the failure is not the ticket's own. */
export function storeRemedy({ cause }: Pick<StoreFailure, "cause">): string | undefined {
  switch (cause) {
    case "read_only":
      return "Promote it, or point DATABASE_URL to the server that takes writes. The worker connects again by itself.";
    case "misconfigured":
      return "Run deno task migrate, and check the database's name, user, rights and tables.";
    case "unreachable":
      return "Start the database or check DATABASE_URL; the worker connects again by itself";
    case "busy":
    case "bad_id":
    case "unexpected":
      return undefined;
    default:
      return cause satisfies never;
  }
}
