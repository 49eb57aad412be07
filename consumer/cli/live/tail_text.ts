// Text of `deno task tail` for people, and the server-sent events it reads. Pure.

import { printable } from "../../../shared/printable.ts";
import type { Decision } from "../../records/decision.ts";

/** An event of the stream. */
export interface TailEvent {
  readonly event: string;
  readonly data: string;
}

/** One decision in a line: `12:00:01 retrying      tickets/3/1042  attempt 2: 503 (away); again in 2 s`. */
export function decisionAsText(
  { at, kind, topic, partition, offset, attempt, last, said, why }: Decision,
): string {
  const answer = last === null ? "" : `: ${last}${said === null ? "" : ` (${said})`}`;
  const more = why === null ? "" : `; ${why}`;
  const place = `${topic}/${partition}/${offset}`;
  return printable(`${at.slice(11, 19)} ${kind.padEnd(13)} ${place}  attempt ${attempt}${answer}${more}`);
}

/** Events of a `text/event-stream` (HTML Living Standard, section 9.2), as far as ours need it: one line of data each. */
export class EventLines {
  #rest = "";

  /** Takes the next piece of the stream, and gives the events that are whole. */
  add(text: string): readonly TailEvent[] {
    const blocks = (this.#rest + text).split("\n\n");
    this.#rest = blocks.pop() ?? "";
    return blocks.map((block) => {
      const fields = new Map(
        block.split("\n").map((line) => {
          const colon = line.indexOf(":");
          return [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, "")];
        }),
      );
      return { event: fields.get("event") ?? "message", data: fields.get("data") ?? "" };
    });
  }
}
