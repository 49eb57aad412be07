// Tells whether a text repeats a stretch of the prompt.

/** Words in a row that count as a leak: fewer come about by chance, since a reason speaks of the labels. */
const WORDS = 6;

/** A check against one secret, prepared once. Case, punctuation and line breaks make no difference. */
export function leakCheck(secret: string): (text: string) => boolean {
  const stretches = new Set(stretchesOf(secret));
  return (text) => stretchesOf(text).some((stretch) => stretches.has(stretch));
}

function stretchesOf(text: string): string[] {
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  const stretches: string[] = [];
  for (let at = 0; at + WORDS <= words.length; at++) stretches.push(words.slice(at, at + WORDS).join(" "));
  return stretches;
}
