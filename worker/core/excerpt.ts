// Excerpt of a long ticket, cut to a number of tokens: head and tail stay, because people put the point at either end.

import type { TicketText } from "./prompt.ts";

/** A ticket as the model sees it. */
export interface Excerpt {
  readonly text: TicketText;
  readonly truncated: boolean;
}

/** The subject gets at most this share of the budget, and the head of what is cut this share of the room. */
const SUBJECT_SHARE = 0.25;
const HEAD_SHARE = 0.7;

/** Fits a ticket into `tokensMax` estimated tokens. */
export function excerptOf({ subject, body }: TicketText, tokensMax: number): Excerpt {
  const shortSubject = cut(subject, Math.floor(tokensMax * SUBJECT_SHARE));
  const shortBody = cut(body, tokensMax - estimatedTokens(shortSubject));
  return {
    text: { subject: shortSubject, body: shortBody },
    truncated: shortSubject !== subject || shortBody !== body,
  };
}

/** Tokens of a text, roughly: four ASCII characters make one, of other scripts every character is taken for one. */
export function estimatedTokens(text: string): number {
  let quarters = 0;
  for (let at = 0; at < text.length; at++) quarters += text.charCodeAt(at) < 128 ? 1 : 4;
  return Math.ceil(quarters / 4);
}

function cut(text: string, tokensMax: number): string {
  // No character is less than a quarter of a token: what is short enough needs no counting.
  if (text.length <= tokensMax || estimatedTokens(text) <= tokensMax) return text;
  const head = upTo(text, Math.floor(tokensMax * HEAD_SHARE), 1);
  const tail = upTo(text, Math.floor(tokensMax * (1 - HEAD_SHARE)), -1);
  const left = text.length - head.length - tail.length;
  return `${head}\n[... ${left} characters left out ...]\n${tail}`.toWellFormed();
}

/** As much of a text as the tokens allow, from its start (1) or its end (-1). */
function upTo(text: string, tokensMax: number, direction: 1 | -1): string {
  let quarters = 0;
  let length = 0;
  while (length < text.length) {
    quarters += text.charCodeAt(direction === 1 ? length : text.length - 1 - length) < 128 ? 1 : 4;
    if (quarters > tokensMax * 4) break;
    length++;
  }
  return direction === 1 ? text.slice(0, length) : text.slice(text.length - length);
}
