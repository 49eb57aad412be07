// The terminal that `start` and `produce` print to: lines that stay, and one last line that changes.

import { commandsAsStarted } from "../shared/process/command_line.ts";

/** Writes text to where people read it. */
export type Write = (text: string) => void;

const SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏";
const FRAME_MS = 100;
const CLEAR_LINE = "\r\x1b[2K";
const NAME_WIDTH = 10;

/** What `start` and `produce` print: lines that stay and, on a terminal, one last line that changes. */
export class Terminal implements Disposable {
  readonly #write: Write;
  readonly #columns: (() => number) | undefined;
  readonly #going = new Map<string, string>();
  #timer: ReturnType<typeof setInterval> | undefined;
  #frame = 0;

  /** @param columns the terminal's width; undefined where there is no terminal: then each line is printed once. */
  constructor(write: Write, columns: (() => number) | undefined) {
    this.#write = write;
    this.#columns = columns;
  }

  /** Whether lines may have colours: on a terminal without `NO_COLOR`. */
  get coloured(): boolean {
    return this.#columns !== undefined && !Deno.noColor;
  }

  /** A line that stays. */
  line(line: string): void {
    const text = commandsAsStarted(line);
    if (this.#columns === undefined) return this.#write(`${text}\n`);
    this.#write(`${this.#timer === undefined ? "" : CLEAR_LINE}${text}\n`);
    this.#draw();
  }

  /** Something goes on under this name. Without a terminal only its beginning is printed. */
  going(name: string, what: string): void {
    const begins = !this.#going.has(name);
    this.#going.set(name, what);
    if (this.#columns === undefined) return begins ? this.line(row(name, `${what} …`)) : undefined;
    this.#timer ??= setInterval(() => this.#draw(), FRAME_MS);
  }

  /** Like {@link going}, for what only makes sense while it changes: nothing is printed without a terminal. */
  drawing(name: string, what: string): void {
    if (this.#columns !== undefined) this.going(name, what);
  }

  /** It is over; `outcome` stays. */
  done(name: string, outcome?: string): void {
    this.#going.delete(name);
    if (this.#going.size === 0) this[Symbol.dispose]();
    if (outcome !== undefined) this.line(row(name, outcome));
  }

  /** Takes the last line away. */
  [Symbol.dispose](): void {
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#write(CLEAR_LINE);
  }

  #draw(): void {
    if (this.#timer === undefined || this.#columns === undefined) return;
    const spinner = SPINNER[this.#frame++ % SPINNER.length];
    const text = [...this.#going].map(([name, what]) => `${name}: ${what}`).join("  ·  ");
    this.#write(`${CLEAR_LINE}${`${spinner} ${text}`.slice(0, this.#columns() - 1)}`);
  }
}

/** A part and what there is to say about it, in columns. */
export function row(name: string, text: string): string {
  return `  ${name.padEnd(NAME_WIDTH)} ${text}`;
}

/** The terminal of this process. */
export function standardTerminal(stream: typeof Deno.stdout | typeof Deno.stderr = Deno.stdout): Terminal {
  const encoder = new TextEncoder();
  const write = (text: string) => {
    const bytes = encoder.encode(text);
    for (let written = 0; written < bytes.length;) written += stream.writeSync(bytes.subarray(written));
  };
  return new Terminal(write, stream.isTerminal() ? () => Deno.consoleSize().columns || 80 : undefined);
}

/** `12,345`. */
export function number(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

/** `about 12 s`, `about 3 min`, `about 2 h`. */
export function duration(ms: number): string {
  const s = Math.max(1, Math.round(ms / 1000));
  if (s < 100) return `about ${s} s`;
  return s < 6000 ? `about ${Math.round(s / 60)} min` : `about ${Math.round(s / 3600)} h`;
}
