// English words in place of known foreign ones, so that an English network gets the gist. Pure.

import { DICTIONARY } from "./dictionary.ts";
import { guessLanguage } from "./language_guess.ts";

interface Entry {
  readonly foreign: string;
  readonly english: string;
}

interface Words {
  readonly whole: ReadonlyMap<string, string>;
  /** Beginnings, the longest first. */
  readonly beginnings: readonly Entry[];
}

/** Languages written without spaces: entries are found anywhere. */
const UNSPACED = new Set(["ja"]);

const tables = new Map<string, Words>();

/** The text with the words of its language's glossary in English; English and unknown languages stay as they are. */
export function translate(text: string, language: string = guessLanguage(text)): string {
  const entries = DICTIONARY[language];
  if (entries === undefined) return text;
  const words = tables.get(language) ?? readGlossary(entries);
  tables.set(language, words);
  if (UNSPACED.has(language)) return glossUnspaced(text, words);
  return text.replace(/[\p{L}\p{M}-]+/gu, (word) => translateWord(word.toLowerCase(), words) ?? word);
}

function translateWord(word: string, { whole, beginnings }: Words): string | undefined {
  return whole.get(word) ?? beginnings.find(({ foreign }) => word.startsWith(foreign))?.english;
}

function glossUnspaced(text: string, { whole }: Words): string {
  const longestFirst = [...whole].sort(([left], [right]) => right.length - left.length);
  return longestFirst.reduce((done, [foreign, english]) => done.replaceAll(foreign, ` ${english} `), text);
}

function readGlossary(lines: string): Words {
  const entries = lines.trim().split(/\s+/).map((pair): Entry => {
    const [foreign = "", english = ""] = pair.split("=");
    return { foreign, english: english.replaceAll("_", " ") };
  });
  const beginnings = entries.filter(({ foreign }) => foreign.endsWith("*"))
    .map(({ foreign, english }) => ({ foreign: foreign.slice(0, -1), english }))
    .sort((left, right) => right.foreign.length - left.foreign.length);
  const whole = new Map(
    entries.filter(({ foreign }) => !foreign.endsWith("*")).map(({ foreign, english }) => [foreign, english]),
  );
  return { whole, beginnings };
}
