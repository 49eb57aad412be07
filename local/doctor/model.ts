// What the doctor looks at in the provider: one tiny completion for each model, and which features it takes.

import { type Environment, readVariables } from "../../shared/config/read.ts";
import type { Lesson } from "../../worker/core/llm.ts";
import { openaiLlm, TINY_PROMPT } from "../../worker/llm/client.ts";
import { FEATURE_NAMES } from "../../worker/llm/features.ts";
import { type Finding, Findings } from "./finding.ts";

const REMEDIES: Readonly<Record<string, string>> = {
  refused: "Check OPENAI_API_KEY, the account's quota, and that it may use the model",
  no_model: "Check OPENAI_MODEL, and that OPENAI_BASE_URL ends as the provider says, often in /v1",
  rate_limited:
    "Nothing to do if it passes: the pool follows the provider's rate. If it stays, the quota is spent",
  timeout: "Check OPENAI_BASE_URL, or raise OPENAI_TIMEOUT_MS where the model is loaded first",
};

/** @param asks whether the models may be asked, which costs a few tokens. */
export async function checkModel(env: Environment, asks: boolean): Promise<readonly Finding[]> {
  const findings = new Findings();
  if (!env("OPENAI_API_KEY")?.trim() && !env("OPENAI_BASE_URL")?.trim()) {
    findings.embedded(
      "model",
      "OPENAI_API_KEY and OPENAI_BASE_URL are not set: start brings a small model of its own",
    );
    return findings.all;
  }
  const values = readVariables(
    ["OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_MODEL", "FALLBACK_MODELS", "OPENAI_TIMEOUT_MS"],
    env,
  );
  const models = [values.OPENAI_MODEL, ...values.FALLBACK_MODELS ?? []];
  if (!asks) {
    findings.ok("model", `${models.join(", ")}: not asked`);
    return findings.all;
  }
  for (const model of models) {
    const llm = openaiLlm({
      apiKey: values.OPENAI_API_KEY,
      baseUrl: values.OPENAI_BASE_URL,
      model,
      timeoutMs: values.OPENAI_TIMEOUT_MS,
    });
    const startedMs = performance.now();
    const answer = await llm.complete(TINY_PROMPT, undefined);
    const tookMs = Math.round(performance.now() - startedMs);
    if (answer.kind === "failed") {
      const remedy = REMEDIES[answer.cause] ?? "Check OPENAI_BASE_URL and the provider's status page";
      findings.fail("model", `${model}: ${answer.detail}`, remedy);
    } else {
      const logprobs = answer.tokens.length > 0 ? "" : "; no log-probabilities came, so confidence is coarse";
      findings.ok("model", `${model} answers in ${tookMs} ms; ${featuresText(llm.lessons())}${logprobs}`);
    }
  }
  return findings.all;
}

/** `takes limit, schema; not temperature: nothing is asked`. */
export function featuresText(lessons: readonly Lesson[]): string {
  const learnt = new Map(lessons.map(({ feature, asks }) => [feature, asks]));
  const taken = FEATURE_NAMES.filter((name) => !learnt.has(name));
  const other = [...learnt].map(([name, asks]) => `${name}: asks ${asks}`);
  return [`takes ${taken.join(", ")}`, ...other].join("; ");
}
