// Reads a model's answer: only what the taxonomy has becomes a category, and nothing of the prompt gets out.

import { REASON_MAX } from "./label.ts";
import { labelNamed, type Taxonomy } from "./taxonomy.ts";

/** What a usable answer says. */
export interface Reading {
  readonly category: string;
  readonly reason: string | null;
  readonly language: string | null;
}

/** Longest plain-text answer that is looked at for a label. */
const PLAIN_TEXT_MAX = 200;

/** Reads an answer, JSON or plain text; undefined when it names no label. A reason that `leaks` the prompt is dropped. */
export function readCompletion(
  content: string,
  taxonomy: Taxonomy,
  leaks: (text: string) => boolean,
): Reading | undefined {
  const json = jsonIn(content);
  if (json === undefined) {
    const category = plainCategory(content, taxonomy);
    return category === undefined ? undefined : { category, reason: null, language: null };
  }
  const category = typeof json.category === "string" ? labelNamed(taxonomy, json.category.trim()) : undefined;
  if (category === undefined) return undefined;
  return {
    category,
    reason: typeof json.reason === "string" ? safeReason(json.reason, leaks) : null,
    language: typeof json.language === "string" ? languageTag(json.language) : null,
  };
}

/** The JSON object an answer consists of, inside a Markdown fence or bare. */
function jsonIn(content: string): Record<string, unknown> | undefined {
  const text = content.trim().replace(/^```(?:json)?\s*/i, "").replace(/\s*```$/, "");
  if (!text.startsWith("{")) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value as Record<string, unknown> : undefined;
  } catch {
    return undefined;
  }
}

/** `Billing.`, `"billing"`, `Category: billing` — an answer that is a label and nothing else. */
function plainCategory(content: string, taxonomy: Taxonomy): string | undefined {
  const text = content.trim();
  if (text.length > PLAIN_TEXT_MAX) return undefined;
  const bare = text.replace(/^(?:category|label)\s*[:=]\s*/i, "")
    .replace(/^[\s"'`*_.([]+/, "").replace(/[\s"'`*_.!)\]]+$/, "");
  return labelNamed(taxonomy, bare);
}

/** A reason fit to show: one line, short, storable, and not the prompt's own words. */
function safeReason(reason: string, leaks: (text: string) => boolean): string | null {
  const line = oneLine(reason);
  if (line === "" || leaks(line)) return null;
  // No text has more characters than code units.
  if (line.length <= REASON_MAX) return line;
  return [...line].length <= REASON_MAX ? line : `${[...line].slice(0, REASON_MAX - 1).join("")}…`;
}

function oneLine(text: string): string {
  // deno-lint-ignore no-control-regex -- control characters are what is taken out; Postgres cannot store NUL at all
  return text.toWellFormed().replace(/[\u0000-\u001f\u007f-\u009f\s]+/g, " ").trim();
}

function languageTag(value: string): string | null {
  const tag = value.trim();
  return /^[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}$/.test(tag) ? tag : null;
}
