// The vector of a ticket: its gist in English, cut into pieces, embedded, averaged.

import type { Embedder } from "./embedder.ts";
import { translate } from "../language/translate.ts";
import type { TicketText } from "../tickets.ts";

/** The network reads some 128 tokens and ignores the rest, so longer texts go in as several pieces. */
const PIECE_WORDS = 80;
const PIECE_CHARACTERS = 600;
const PIECES_MAX = 4;

const HEAD_CHARACTERS = 12_000;
const TAIL_CHARACTERS = 4_000;

/** A ticket as the classifier sees it. */
export interface EmbeddedTicket {
  /** Subject and body with the foreign words we know in English. */
  readonly gist: string;
  readonly embedding: Float32Array;
}

/** The text a ticket is judged by; of a very long one the head and the tail. */
export function gistOf({ subject, body }: TicketText): string {
  const text = `${subject}\n${body}`;
  const short = text.length <= HEAD_CHARACTERS + TAIL_CHARACTERS;
  return translate(short ? text : `${text.slice(0, HEAD_CHARACTERS)}\n${text.slice(-TAIL_CHARACTERS)}`)
    .trim();
}

/** The pieces of a text that are embedded: the first three and, of a longer one, the last. */
export function piecesOf(gist: string): readonly string[] {
  const words = gist.split(/\s+/).flatMap((word) => word.match(/.{1,600}/gsu) ?? []);
  const pieces: string[] = [];
  let piece: string[] = [];
  for (const word of words) {
    const characters = piece.reduce((sum, one) => sum + one.length + 1, word.length);
    if (piece.length === PIECE_WORDS || (piece.length > 0 && characters > PIECE_CHARACTERS)) {
      pieces.push(piece.join(" "));
      piece = [];
    }
    piece.push(word);
  }
  pieces.push(piece.join(" "));
  return pieces.length <= PIECES_MAX ? pieces : [...pieces.slice(0, PIECES_MAX - 1), ...pieces.slice(-1)];
}

/** Embeds tickets, one vector each, of length 1 unless there is no text at all. */
export async function embedTickets(
  tickets: readonly TicketText[],
  embedder: Embedder,
): Promise<readonly EmbeddedTicket[]> {
  const gists = tickets.map(gistOf);
  const pieces = gists.map(piecesOf);
  const vectors = await embedder.embed(pieces.flat());
  let from = 0;
  return gists.map((gist, at) => {
    const own = vectors.slice(from, from += pieces[at]?.length ?? 0);
    return { gist, embedding: meanOf(own) };
  });
}

/** The mean of vectors, stretched to length 1. */
export function meanOf(vectors: readonly Float32Array[]): Float32Array {
  const sum = new Float32Array(vectors[0]?.length ?? 0);
  for (const vector of vectors) {
    for (const [at, component] of vector.entries()) sum[at] = (sum[at] ?? 0) + component;
  }
  const norm = Math.hypot(...sum);
  return norm === 0 ? sum : sum.map((component) => component / norm);
}
