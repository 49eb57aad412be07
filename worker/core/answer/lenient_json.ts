// Lenient JSON: finds the objects in a model's text, in time proportional to its length. Trailing commas, single and
// curly quotes, bare keys and Python's literals are read, and where each text stands.

/** One object in a text. */
export interface FoundObject {
  /** By name in lower case. */
  readonly fields: Readonly<Record<string, unknown>>;
  readonly from: number;
  /** Where its text ends, exclusive. */
  readonly to: number;
  /** Where the text of each string field stands, without its quotes. */
  readonly spans: Readonly<Record<string, Span>>;
}

/** A stretch of a text; `to` is exclusive. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** How deep objects may lie inside one another. */
const DEPTH_MAX = 8;
/** Characters that may be looked at for each one of the text: an attempt that fails must not cost the square of it. */
const STEPS_EACH = 4;
const QUOTES: Readonly<Record<string, string>> = { '"': '"', "'": "'", "“": "”", "‘": "’", "`": "`" };
const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", b: "\b", f: "\f" };
const LITERALS: Readonly<Record<string, unknown>> = {
  true: true,
  false: false,
  null: null,
  True: true,
  False: false,
  None: null,
};
const FAILED = Symbol("failed");

/** Reads objects out of one text. All attempts together are bounded. */
export class LenientJson {
  readonly #text: string;
  #at = 0;
  #stepsLeft: number;
  #found: FoundObject[] = [];
  /** Where the string or word that was read last stands. */
  #lastText: Span = { from: 0, to: 0 };

  constructor(text: string) {
    this.#text = text;
    this.#stepsLeft = text.length * STEPS_EACH + 1_000;
  }

  /** The object that begins at `from`, after those inside it; empty where none does. */
  objectsAt(from: number): readonly FoundObject[] {
    this.#at = from;
    this.#found = [];
    return this.#object(0) === FAILED ? [] : this.#found;
  }

  #value(depth: number): unknown {
    const char = this.#next();
    if (char === "{") return this.#object(depth);
    if (char === "[") return this.#array(depth);
    return QUOTES[char] === undefined ? this.#word() : this.#string();
  }

  #object(depth: number): unknown {
    if (depth > DEPTH_MAX || this.#text[this.#at] !== "{") return FAILED;
    const from = this.#at++;
    const fields: Record<string, unknown> = {};
    const spans: Record<string, Span> = {};
    while (this.#next() !== "}") {
      const key = QUOTES[this.#next()] === undefined ? this.#word() : this.#string();
      if (typeof key !== "string" || this.#next() !== ":") return FAILED;
      this.#at++;
      const value = this.#value(depth + 1);
      const name = key.toLowerCase();
      if (typeof value === "string") spans[name] = this.#lastText;
      if (value === FAILED || !this.#separated("}")) return FAILED;
      // A field that is there twice says nothing: one of them may be a ticket's words.
      if (Object.hasOwn(fields, name) && fields[name] !== value) return FAILED;
      fields[name] = value;
    }
    this.#at++;
    this.#found.push({ fields, from, to: this.#at, spans });
    return fields;
  }

  #array(depth: number): unknown {
    if (depth > DEPTH_MAX) return FAILED;
    this.#at++;
    const values: unknown[] = [];
    while (this.#next() !== "]") {
      const value = this.#value(depth + 1);
      if (value === FAILED || !this.#separated("]")) return FAILED;
      values.push(value);
    }
    this.#at++;
    return values;
  }

  /** Steps over one comma; the closing bracket may follow it. */
  #separated(close: string): boolean {
    const char = this.#next();
    if (char === close) return true;
    if (char !== ",") return false;
    this.#at++;
    return true;
  }

  #string(): string | typeof FAILED {
    const close = QUOTES[this.#text[this.#at] ?? ""];
    const from = this.#at + 1;
    let value = "";
    for (this.#at++; this.#at < this.#text.length; this.#at++) {
      if (!this.#step()) return FAILED;
      const char = this.#text[this.#at] ?? "";
      if (char === close && this.#isEndBehind(this.#at + 1)) {
        this.#lastText = { from, to: this.#at++ };
        return value;
      }
      value += char === "\\" ? this.#escaped() : char;
    }
    return FAILED;
  }

  /** A quote ends a text where the JSON goes on behind it: models forget to escape those inside. */
  #isEndBehind(at: number): boolean {
    let next = at;
    while (/\s/.test(this.#text[next] ?? "") && this.#step()) next++;
    return next >= this.#text.length || ",:}]/".includes(this.#text[next] ?? "");
  }

  #escaped(): string {
    const char = this.#text[++this.#at] ?? "";
    if (char !== "u") return ESCAPES[char] ?? char;
    const hex = this.#text.slice(this.#at + 1, this.#at + 5);
    if (!/^[0-9a-fA-F]{4}$/.test(hex)) return char;
    this.#at += 4;
    return String.fromCharCode(parseInt(hex, 16));
  }

  /** A number, a literal, or a bare word such as a key without quotes. */
  #word(): unknown {
    const from = this.#at;
    while (/[\w.+-]/.test(this.#text[this.#at] ?? "") && this.#step()) this.#at++;
    const word = this.#text.slice(from, this.#at);
    this.#lastText = { from, to: this.#at };
    if (word === "") return FAILED;
    if (Object.hasOwn(LITERALS, word)) return LITERALS[word];
    return /^-?\d/.test(word) ? Number(word) : word;
  }

  /** The next character that is neither white space nor a comment, without stepping over it. */
  #next(): string {
    for (;;) {
      while (/\s/.test(this.#text[this.#at] ?? "") && this.#step()) this.#at++;
      if (!this.#skipComment()) break;
    }
    return this.#stepsLeft <= 0 ? "" : this.#text[this.#at] ?? "";
  }

  /** `// …` to the line's end, or a block between slashes and stars. */
  #skipComment(): boolean {
    const start = this.#text.slice(this.#at, this.#at + 2);
    const close = start === "//" ? "\n" : start === "/*" ? "*/" : undefined;
    if (close === undefined) return false;
    const end = this.#text.indexOf(close, this.#at + 2);
    const to = end < 0 ? this.#text.length : end + close.length;
    this.#stepsLeft -= to - this.#at;
    this.#at = to;
    return this.#stepsLeft > 0;
  }

  #step(): boolean {
    return this.#stepsLeft-- > 0;
  }
}
