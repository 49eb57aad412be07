// A chat completion request: its tickets, the allowed labels, the shape of the answer. Pure.

import { z } from "zod";
import type { TicketText } from "../tickets.ts";

const contentSchema = z.union([
  z.string(),
  z.array(z.object({ type: z.string(), text: z.string().optional() })),
]);

const messageSchema = z.object({ role: z.string(), content: contentSchema.nullish() });

/** The part of OpenAI's request body that the local model heeds; other fields change nothing. */
export const chatRequestSchema = z.object({
  model: z.string().min(1),
  messages: z.array(messageSchema).min(1),
  response_format: z.union([
    z.object({ type: z.literal("text") }),
    z.object({ type: z.literal("json_object") }),
    z.object({
      type: z.literal("json_schema"),
      json_schema: z.object({ schema: z.record(z.string(), z.unknown()) }),
    }),
  ]).optional(),
  logprobs: z.boolean().nullish(),
  top_logprobs: z.number().int().min(0).max(20).nullish(),
  n: z.literal(1, "the local model gives one choice").nullish(),
  stream: z.literal(false, "the local model does not stream").nullish(),
});

/** A request that {@link chatRequestSchema} let through. */
export type ChatRequest = z.infer<typeof chatRequestSchema>;

/** A ticket of a request, with the id by which the request knows it, if any. */
export interface AskedTicket extends TicketText {
  readonly id?: string | number;
}

const fencedSchema = z.object({
  id: z.union([z.string(), z.number()]).optional(),
  subject: z.string().optional(),
  body: z.string().optional(),
});

/**
 * The tickets of the last user message: a line of JSON between `<ticket>` and `</ticket>`, several lines between
 * `<tickets>` and `</tickets>`, or else the whole text as one body.
 */
export function askedTickets({ messages }: ChatRequest): readonly AskedTicket[] {
  const text = textOf(messages.findLast(({ role }) => role === "user")?.content);
  const fenced = [...text.matchAll(FENCE)].flatMap(([, , lines = ""]) => lines.split(/\r?\n/));
  return fenced.length === 0 ? [{ subject: "", body: text }] : fenced.map(parseFenced);
}

const FENCE = /^<(tickets?)>[ \t]*\r?\n([^]*?)\r?\n<\/\1>[ \t]*$/gm;

/** All the text of a request, which is what its prompt tokens are counted over. */
export function promptText({ messages }: ChatRequest): string {
  return messages.map(({ content }) => textOf(content)).join("\n");
}

/**
 * What the system messages say about a label: its description, from a line such as `- billing: money matters`, and
 * its examples, from the lines such as `    e.g. "I was charged twice"` below it.
 */
export function saidAbout(label: string, { messages }: ChatRequest): readonly string[] {
  const lines = messages.filter(({ role }) => role === "system" || role === "developer")
    .flatMap(({ content }) => textOf(content).split("\n"));
  const at = lines.findIndex((line) => line.replace(/^\s*[-*]\s+/, "").startsWith(`${label}: `));
  if (at < 0) return [];
  const below = lines.slice(at + 1);
  const end = below.findIndex((line) => !EXAMPLE.test(line));
  const examples = end < 0 ? below : below.slice(0, end);
  return [
    (lines[at] ?? "").replace(/^\s*[-*]\s+/, "").slice(label.length + 2),
    ...examples.map((line) => line.replace(EXAMPLE, "").replace(/^"(.*)"$/, "$1")),
  ];
}

const EXAMPLE = /^\s+e\.g\.\s+/;

function parseFenced(line: string): AskedTicket {
  const parsed = fencedSchema.safeParse(parseJson(line));
  if (!parsed.success) return { subject: "", body: line };
  const { id, subject = "", body = "" } = parsed.data;
  return id === undefined ? { subject, body } : { id, subject, body };
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function textOf(content: z.infer<typeof contentSchema> | null | undefined): string {
  if (typeof content === "string") return content;
  return (content ?? []).map(({ text }) => text ?? "").join("");
}
