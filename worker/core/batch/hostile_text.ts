// Hostile-looking text: a ticket that speaks of other tickets, of labels or to the model. Honest tickets seldom do; one that
// does shares no prompt with others. A look at the words finds the careless attempts only.

import type { TicketText } from "../prompt.ts";
import type { Taxonomy } from "../taxonomy.ts";

const OTHERS =
  /\b(?:all|every|each|any|both|other|others|following|previous|next|above|below|these|those|remaining|rest|neighbou?r\w*|tous|toutes|autres|alle|andere\w*|todos|todas|otros|tutti|wszystkie)\b[^.!?\n]{0,40}\b(?:tickets?|tiquets?|items?|entries|objects?|ids?|labels?|lines?)\b/;
const TO_THE_MODEL =
  /\b(?:ignore|disregard|forget|override|ignoriere|ignorez|ignora)\b[^.!?\n]{0,40}\b(?:instructions?|rules?|prompt|above|anweisung\w*|instrucciones|consignes)\b|\b(?:system|assistant|developer) ?(?:prompt|message|:)|\byou are (?:now )?an? |\b(?:you|not) (?:only )?answer\b|<\||\[\/?inst\]|\b(?:answer|respond|reply|output) (?:only )?(?:with|in)\b/;
const LABELS =
  /\b(?:categor(?:y|ies|i[sz]e\w*)|classif\w+|labell?(?:ed|s|ing)?|kategorie\w*|catégorie\w*|categor[ií]a\w*)\b[^.!?\n]{0,30}(?:\b(?:as|is|are|must|should|to|ist|sind|est|sont|es|son)\b|[:=])/;
const MARKUP = /<\/?tickets?\b|["'](?:category|labels?|id)["'] ?[:=]|\{ ?["']?(?:id|labels?|category)\b/;
const OTHER_SCRIPTS =
  /所有|全部|忽略|其他(?:工单|票)|すべて|全ての|игнорируй|все (?:тикеты|заявки)|모든 티켓/;
const PATTERNS = [OTHERS, TO_THE_MODEL, LABELS, MARKUP, OTHER_SCRIPTS];

/** Tells which tickets look hostile, for one taxonomy. Its examples stand in prompts as decoys: who repeats them may mean those. */
export function hostileLook(taxonomy: Taxonomy): (ticket: TicketText) => boolean {
  const examples = taxonomy.labels.flatMap((label) => label.examples).map(folded).filter((text) =>
    text !== ""
  );
  return ({ subject, body }) => {
    const text = folded(`${subject}\n${body}`);
    return PATTERNS.some((pattern) => pattern.test(text)) ||
      examples.some((example) => text.includes(example));
  };
}

/** Without case, tricks of writing, and what cannot be seen. */
function folded(text: string): string {
  return text.normalize("NFKC").toLowerCase().replace(/\p{Cf}/gu, "").replace(/[^\S\n]+/g, " ");
}
