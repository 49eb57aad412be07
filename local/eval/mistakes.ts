// Mistakes of one subject: the tickets whose label is another than people gave them, the surest first. Pure.

import { plainText } from "../../worker/core/plain_text.ts";
import type { Verdict } from "./run.ts";

/** A ticket that got another label. */
export interface Mistake {
  /** Subject and body on one line, cut. */
  readonly text: string;
  readonly truth: string;
  readonly answer: string;
  /** Null where the subject of the evaluation gives none. */
  readonly confidence: number | null;
}

/** What stands for the answer where there is none. */
export const NO_ANSWER = "(no answer)";
const TEXT_MAX = 120;

/** What was wrong; what was wrong with confidence comes first, since nobody would look at it again. */
export function mistakesOf(verdicts: readonly Verdict[]): readonly Mistake[] {
  return verdicts.flatMap(({ ticket, end }): Mistake[] => {
    const answer = end.kind === "labelled" ? end.category : NO_ANSWER;
    if (answer === ticket.category) return [];
    const text = plainText(
      ticket.subject === "" ? ticket.body : `${ticket.subject}: ${ticket.body}`,
      TEXT_MAX,
    );
    return [{
      text,
      truth: ticket.category,
      answer,
      confidence: end.kind === "labelled" ? end.confidence : null,
    }];
  }).sort((a, b) => (b.confidence ?? -1) - (a.confidence ?? -1));
}
