// One line of a user's tickets: JSON, checked, a problem with its line number. Pure.

import { type Ticket, ticketSchema } from "../../shared/ticket.ts";

/** One line of a file. */
export type TicketLine =
  | { readonly kind: "ticket"; readonly line: number; readonly text: string; readonly ticket: Ticket }
  | { readonly kind: "bad"; readonly line: number; readonly problem: string };

/** Checks one line; undefined when it is blank. Its own text goes to Kafka, so that nothing in it is lost. */
export function parseTicketLine(line: number, raw: string): TicketLine | undefined {
  const text = raw.trim();
  if (text === "") return undefined;
  const json = parse(text);
  if (json === undefined) return { kind: "bad", line, problem: "is not JSON" };
  const ticket = ticketSchema.safeParse(json.value);
  if (ticket.success) return { kind: "ticket", line, text, ticket: ticket.data };
  const [issue] = ticket.error.issues;
  const where = issue?.path.join(".") || "the line";
  return { kind: "bad", line, problem: `${where}: ${issue?.message}` };
}

function parse(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}
