// Plain text of what a stranger or a model wrote: one line, short, storable, and nothing in it that cannot be seen.

/** Controls, separators, what turns the direction of writing, and what has no width. */
const UNSEEN =
  // deno-lint-ignore no-control-regex -- they are what is taken out; Postgres cannot store NUL at all
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}\s]+/gu;

/** See the file's first line. Longer texts end with `…`; `charactersMax` counts characters, not code units. */
export function plainText(text: string, charactersMax: number): string {
  // No character has more than two code units, and what is taken out is rare: a text of any length costs the same.
  const line = text.slice(0, 8 * charactersMax).toWellFormed().replace(UNSEEN, " ").trim();
  // No text has more characters than code units.
  if (line.length <= charactersMax) return line;
  const characters = [...line];
  return characters.length <= charactersMax ? line : `${characters.slice(0, charactersMax - 1).join("")}…`;
}
