// Reading of a model's answer: only what the taxonomy has becomes a category, and nothing of the prompt gets out.

import { type Answer, answerIn } from "./answer.ts";
import { REASON_MAX } from "../label.ts";
import type { FoundObject, Span } from "./lenient_json.ts";
import { plainText } from "../plain_text.ts";
import { labelNamed, type Taxonomy } from "../taxonomy.ts";

/** What a usable answer says. */
export interface Reading {
  readonly category: string;
  readonly reason: string | null;
  readonly language: string | null;
  /** Where the category stands in the answer; undefined where that is not known. */
  readonly span: Span | undefined;
}

/** Longest plain-text answer that is looked at for a label. */
const PLAIN_TEXT_MAX = 200;

/** Reads an answer, JSON or plain text; undefined when it names no label. A reason that `leaks` the prompt is dropped. */
export function readCompletion(
  content: string,
  taxonomy: Taxonomy,
  leaks: (text: string) => boolean,
): Reading | undefined {
  const answer = answerIn(content.trimEnd());
  if (answer === undefined) return undefined;
  if (answer.objects.length > 0) return readObjects(answer.objects, taxonomy, leaks);
  const quoted = quotedIn(answer);
  return quoted === undefined
    ? readPlain(content, answer.plain, taxonomy)
    : withoutSpan(readCompletion(quoted, taxonomy, leaks));
}

/** Several labels that differ are no answer. */
function readObjects(
  objects: readonly FoundObject[],
  taxonomy: Taxonomy,
  leaks: (text: string) => boolean,
): Reading | undefined {
  let answering: FoundObject | undefined;
  let category: string | undefined;
  for (const object of objects.toReversed()) {
    const named = object.fields["category"];
    if (typeof named !== "string" || (answering !== undefined && isInside(object, answering))) continue;
    const label = labelNamed(taxonomy, named.trim());
    if (label === undefined) continue;
    if (category !== undefined && label !== category) return undefined;
    category ??= label;
    answering ??= object;
  }
  if (answering === undefined || category === undefined) return undefined;
  const { reason, language } = answering.fields;
  return {
    category,
    reason: typeof reason === "string" ? safeReason(reason, leaks) : null,
    language: typeof language === "string" ? languageTag(language) : null,
    span: answering.spans["category"],
  };
}

function isInside(inner: FoundObject, outer: FoundObject): boolean {
  return inner.from > outer.from && inner.to < outer.to;
}

/** Some models answer with a JSON string that holds the JSON. */
function quotedIn({ plain }: Answer): string | undefined {
  const text = plain.trim();
  if (!text.startsWith('"') || !text.includes("{")) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "string" ? value : undefined;
  } catch {
    return undefined;
  }
}

function withoutSpan(reading: Reading | undefined): Reading | undefined {
  return reading === undefined ? undefined : { ...reading, span: undefined };
}

/** `Billing.`, `"billing"`, `Category: billing` — an answer that is a label and nothing else. */
function readPlain(content: string, plain: string, taxonomy: Taxonomy): Reading | undefined {
  const text = plain.trim();
  if (text.length > PLAIN_TEXT_MAX) return undefined;
  const bare = text.replace(/^```[a-z]{0,10}\n/, "").replace(/^(?:category|label)\s*[:=]\s*/i, "")
    .replace(/^[\s"'`*_.([]+/, "").replace(/[\s"'`*_.!)\]]+$/, "");
  const category = labelNamed(taxonomy, bare);
  if (category === undefined) return undefined;
  const from = content.lastIndexOf(bare);
  return { category, reason: null, language: null, span: { from, to: from + bare.length } };
}

/** A reason fit to show: one line, short, storable, and not the prompt's own words. */
function safeReason(reason: string, leaks: (text: string) => boolean): string | null {
  const line = plainText(reason, REASON_MAX);
  return line === "" || leaks(line) ? null : line;
}

function languageTag(value: string): string | null {
  const tag = value.trim();
  return /^[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}$/.test(tag) ? tag : null;
}
