// Secrets of this process, and whether a text repeats one, however it is spelt.

import { Buffer } from "node:buffer";

/** Shorter ones are words that a text may have by chance. */
const LENGTH_MIN = 6;
/** Escapes inside escapes, as in JSON that holds JSON. */
const UNESCAPES_MAX = 3;

/** See the file's first line. */
export class Secrets {
  readonly #spellings: readonly string[];

  constructor(secrets: readonly (string | undefined)[]) {
    const long = secrets.filter((secret) => secret !== undefined && secret.length >= LENGTH_MIN);
    this.#spellings = [...new Set(long.flatMap((secret) => spellings(secret ?? "")).map(folded))];
  }

  /** Whether a text repeats a secret: in any case, percent-encoded, in base64, with escapes, or with gaps in it. */
  isIn(text: string): boolean {
    if (this.#spellings.length === 0) return false;
    let form = text;
    for (let time = 0; time <= UNESCAPES_MAX; time++) {
      const plain = folded(form);
      if (this.#spellings.some((spelling) => plain.includes(spelling))) return true;
      if (!form.includes("\\")) return false;
      form = unescaped(form);
    }
    return false;
  }
}

function spellings(secret: string): string[] {
  const base64 = Buffer.from(secret).toString("base64").replaceAll("=", "");
  return [secret, encodeURIComponent(secret), base64, base64.replaceAll("+", "-").replaceAll("/", "_")];
}

/** Without case and gaps: what is left is compared. */
function folded(text: string): string {
  return text.toLowerCase().replace(/[\p{C}\p{Z}\s]+/gu, "");
}

/** As the reader of models' JSON reads escapes. */
function unescaped(text: string): string {
  return text.replace(/\\(?:u([\da-f]{4})|([^]))/gi, (_, hex, one) => {
    if (hex !== undefined) return String.fromCharCode(parseInt(hex, 16));
    return /[bfnrt]/.test(one) ? "" : one;
  });
}
