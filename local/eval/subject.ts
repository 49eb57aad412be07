// The subject of an evaluation, as named on the command line. Pure.

import { UsageError } from "../../shared/process/command_line.ts";

/** US dollars for a million tokens. */
export interface Price {
  readonly inputUsd: number;
  readonly outputUsd: number;
}

/** How a model is asked, where that differs from the worker's own way. */
export interface AskingOptions {
  readonly taxonomyFile: string | undefined;
  readonly promptFile: string | undefined;
  readonly url: string | undefined;
  readonly price: Price | undefined;
}

/** What is judged. */
export type Subject =
  | { readonly kind: "worker"; readonly name: string; readonly url: string }
  | { readonly kind: "model"; readonly name: string; readonly model: string; readonly asking: AskingOptions }
  | { readonly kind: "local"; readonly name: string; readonly asking: AskingOptions }
  | { readonly kind: "tfidf"; readonly name: string };

const OPTIONS = ["taxonomy", "prompt", "url", "price"] as const;

/**
 * Reads a subject, as EVAL_USAGE has it.
 *
 * @throws {UsageError} with a message for people.
 */
export function parseSubject(name: string): Subject {
  const [what = "", ...rest] = name.split(",");
  if (/^https?:\/\//.test(what)) {
    if (!URL.canParse(name)) throw new UsageError(`Not a URL: "${name}"`);
    return { kind: "worker", name, url: name };
  }
  if (what === "") throw new UsageError(`A subject has no name: "${name}"`);
  const asking = parseAsking(name, rest);
  if (what === "local") return { kind: "local", name, asking };
  if (what !== "tfidf") return { kind: "model", name, model: what, asking };
  if (rest.length > 0) throw new UsageError(`tfidf takes no options: "${name}"`);
  return { kind: "tfidf", name };
}

function parseAsking(name: string, parts: readonly string[]): AskingOptions {
  const options = new Map<string, string>();
  for (const part of parts) {
    const [key = "", ...value] = part.split("=");
    if (!OPTIONS.some((option) => option === key) || value.length === 0) {
      throw new UsageError(
        `"${part}" is none of ${OPTIONS.map((option) => `${option}=…`).join(", ")}: "${name}"`,
      );
    }
    options.set(key, value.join("="));
  }
  return {
    taxonomyFile: options.get("taxonomy"),
    promptFile: options.get("prompt"),
    url: options.get("url"),
    price: parsePrice(options.get("price")),
  };
}

function parsePrice(text: string | undefined): Price | undefined {
  if (text === undefined) return undefined;
  const match = /^(\d*\.?\d+)\/(\d*\.?\d+)$/.exec(text);
  if (match === null) {
    throw new UsageError(`A price is written input/output, such as 0.15/0.60: current value is "${text}"`);
  }
  return { inputUsd: Number(match[1]), outputUsd: Number(match[2]) };
}
