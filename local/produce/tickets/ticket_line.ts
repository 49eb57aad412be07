// One ticket of a user's file: checked, each problem with its line number. Pure.

import { type Ticket, ticketSchema } from "../../../shared/ticket.ts";

/** One ticket of a file, or why it is none. */
export type TicketLine =
  | { readonly kind: "ticket"; readonly line: number; readonly text: string; readonly ticket: Ticket }
  | { readonly kind: "bad"; readonly line: number; readonly problem: string };

/** Checks one line of JSON; undefined when it is blank. Its own text goes to Kafka, so that nothing in it is lost. */
export function parseTicketLine(line: number, raw: string): TicketLine | undefined {
  const text = raw.trim();
  if (text === "") return undefined;
  const json = parseJson(text);
  if (json === undefined) return { kind: "bad", line, problem: "is not JSON" };
  return checkTicket(line, json.value, text);
}

/** Checks a ticket; `text` is what goes to Kafka. */
export function checkTicket(line: number, value: unknown, text = JSON.stringify(value)): TicketLine {
  const ticket = ticketSchema.safeParse(value);
  if (ticket.success) return { kind: "ticket", line, text, ticket: ticket.data };
  const [issue] = ticket.error.issues;
  const where = issue?.path.join(".") || "the line";
  const missing = issue?.message.endsWith("received undefined");
  return { kind: "bad", line, problem: `${where}: ${missing ? "is missing" : issue?.message}` };
}

/** The value of a JSON text; undefined where it is none. */
export function parseJson(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}
