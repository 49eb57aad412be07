// The text of the model's answer, in pieces: each label is one, with its probabilities. Pure.

import { z } from "zod";
import type { LabelProbability } from "./label_choice.ts";

/** What is known about one ticket when the answer is written. */
export interface TicketAnswer {
  readonly id?: string | number;
  /** Every allowed label, the most probable first. */
  readonly ranked: readonly LabelProbability[];
  readonly language: string;
}

/** A piece of the answer; those with `odds` are labels, the rest is certain. */
export interface AnswerPiece {
  readonly text: string;
  readonly odds?: readonly LabelProbability[];
}

/** The part of a JSON schema that an answer is written by. */
export const answerSchema = z.object({
  type: z.union([z.string(), z.array(z.string())]).optional(),
  enum: z.array(z.unknown()).optional(),
  const: z.unknown().optional(),
  properties: z.record(z.string(), z.record(z.string(), z.unknown())).optional(),
  items: z.record(z.string(), z.unknown()).optional(),
});

type AnswerSchema = z.infer<typeof answerSchema>;

/** The property whose enum holds the labels. */
const LABEL_PROPERTY = "category";

/** The labels a schema allows, wherever in it `category` is; undefined where it names none. */
export function allowedLabels(schema: unknown): readonly string[] | undefined {
  const { properties = {}, items } = shapeOf(schema);
  const own = z.array(z.string()).min(1).safeParse(properties[LABEL_PROPERTY]?.["enum"]);
  if (own.success) return [...new Set(own.data)];
  const inner = [...Object.values(properties), ...(items === undefined ? [] : [items])];
  return inner.map(allowedLabels).find((labels) => labels !== undefined);
}

/** The answer in the shape the schema asks for: an array holds one item a ticket, everything else the first ticket. */
export function writeAnswer(schema: unknown, answers: readonly TicketAnswer[]): readonly AnswerPiece[] {
  return mergeCertain(write("", shapeOf(schema), answers));
}

function write(name: string, schema: AnswerSchema, answers: readonly TicketAnswer[]): readonly AnswerPiece[] {
  if (schema.properties !== undefined) return writeObject(schema.properties, answers);
  if (schema.items !== undefined) {
    const items = shapeOf(schema.items);
    const written = answers.map((answer) => write(name, items, [answer]));
    return [{ text: "[" }, ...separated(written), { text: "]" }];
  }
  const answer = answers[0];
  const label = answer?.ranked[0];
  if (name === LABEL_PROPERTY && answer !== undefined && label !== undefined) {
    const inner = JSON.stringify(label.label).slice(1, -1);
    return [{ text: '"' }, { text: inner, odds: answer.ranked }, { text: '"' }];
  }
  return [{ text: JSON.stringify(plainValue(name, schema, answer)) }];
}

function writeObject(
  properties: Readonly<Record<string, unknown>>,
  answers: readonly TicketAnswer[],
): readonly AnswerPiece[] {
  const written = Object.entries(properties).map(([name, schema]) => [
    { text: `${JSON.stringify(name)}:` },
    ...write(name, shapeOf(schema), answers),
  ]);
  return [{ text: "{" }, ...separated(written), { text: "}" }];
}

function plainValue(name: string, schema: AnswerSchema, answer: TicketAnswer | undefined): unknown {
  if (name === "id" || name === "ticket" || name === "ticket_id") return answer?.id ?? null;
  if (name === "language") return answer?.language ?? "und";
  if (name === "reason") return reasonFor(answer);
  if (schema.const !== undefined) return schema.const;
  if (schema.enum !== undefined) return schema.enum[0] ?? null;
  const types = [schema.type ?? "string"].flat();
  if (types.includes("null")) return null;
  if (types.includes("string")) return "";
  return types.includes("boolean") ? false : 0;
}

/** What an embedding model can honestly say about its choice. */
function reasonFor(answer: TicketAnswer | undefined): string {
  const [first, second] = answer?.ranked ?? [];
  if (first === undefined) return "no ticket was given";
  const next = second === undefined ? "" : `, next ${second.label} (${percent(second)})`;
  return `nearest to ${first.label} tickets (${percent(first)})${next}`.slice(0, 200);
}

function percent({ probability }: LabelProbability): string {
  return `${Math.round(probability * 100)}%`;
}

function separated(parts: readonly (readonly AnswerPiece[])[]): readonly AnswerPiece[] {
  return parts.flatMap((part, at) => at === 0 ? part : [{ text: "," }, ...part]);
}

function mergeCertain(pieces: readonly AnswerPiece[]): readonly AnswerPiece[] {
  const merged: AnswerPiece[] = [];
  for (const piece of pieces) {
    const last = merged.at(-1);
    if (last === undefined || last.odds !== undefined || piece.odds !== undefined) merged.push(piece);
    else merged[merged.length - 1] = { text: last.text + piece.text };
  }
  return merged;
}

function shapeOf(schema: unknown): AnswerSchema {
  const parsed = answerSchema.safeParse(schema);
  return parsed.success ? parsed.data : {};
}
