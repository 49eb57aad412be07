// Text of strangers, made safe to print: on one line, and nothing in it moves the cursor or turns the writing round.

/**
 * Control characters (C0, C1), line and paragraph separators, and what changes the direction of writing or cannot be
 * seen (Unicode's bidi controls, zero-width characters, and halves of surrogate pairs).
 */
const UNPRINTABLE =
  // deno-lint-ignore no-control-regex -- they are what is replaced
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** Writes what cannot be printed as JSON would: `\n`, `\u001b`, `\u202e`. */
export function printable(text: string): string {
  return text.replace(
    UNPRINTABLE,
    (char) => SHORT[char] ?? `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
