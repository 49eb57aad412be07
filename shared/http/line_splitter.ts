// LineSplitter: cuts a stream of bytes into lines of bounded length.

import { joinChunks } from "./join_chunks.ts";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const NEWLINE = 0x0a;

/** Cuts a stream of bytes into lines. A line that is too long is dropped, and never held whole. */
export class LineSplitter {
  readonly #bytesMax: number;
  #pieces: Uint8Array[] = [];
  #held = 0;
  #tooLong = false;

  /** @param bytesMax longest line. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** The lines that end in this piece, without their ends. */
  push(piece: Uint8Array): string[] {
    const lines: string[] = [];
    let from = 0;
    for (let end = piece.indexOf(NEWLINE); end !== -1; end = piece.indexOf(NEWLINE, from)) {
      this.#hold(piece.subarray(from, end));
      lines.push(...this.end());
      from = end + 1;
    }
    this.#hold(piece.subarray(from));
    return lines;
  }

  /** The stream has ended: its last line, where that had no end. Empty lines are none. */
  end(): string[] {
    const [only = new Uint8Array()] = this.#pieces;
    const line = this.#pieces.length > 1 ? joinChunks(this.#pieces, this.#held) : only;
    const whole = !this.#tooLong && line.length > 0;
    [this.#pieces, this.#held, this.#tooLong] = [[], 0, false];
    return whole ? [decoder.decode(line)] : [];
  }

  #hold(piece: Uint8Array): void {
    if (this.#tooLong || piece.length === 0) return;
    this.#held += piece.length;
    this.#tooLong = this.#held > this.#bytesMax;
    if (this.#tooLong) this.#pieces = [];
    else this.#pieces.push(piece);
  }
}
