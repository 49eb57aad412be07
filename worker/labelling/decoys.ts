// Decoys: tickets of our own in a batch, whose labels alone are known. A batch that labels one otherwise was talked into it.

import type { Taxonomy } from "../core/taxonomy.ts";
import type { LlmFailure } from "../core/llm.ts";
import type { TicketText } from "../core/prompt.ts";

/** A ticket of our own. */
export interface Decoy extends TicketText {
  /** What the model says of it alone. */
  readonly category: string;
}

/** What the model says of a ticket alone: a label, none, or nothing for want of the provider. */
export type SaidAlone = string | undefined | LlmFailure;

/** Of two labels, so that "all tickets are X" is wrong of one. */
const DECOYS = 2;

/** Learns from the model what it says of each alone, once, when it is first drawn. */
export class Decoys {
  readonly #texts: readonly string[];
  readonly #ask: (ticket: TicketText) => Promise<SaidAlone>;
  readonly #random: () => number;
  readonly #learnt = new Map<string, Promise<SaidAlone>>();

  constructor(
    taxonomy: Taxonomy,
    ask: (ticket: TicketText) => Promise<SaidAlone>,
    random: () => number,
  ) {
    const { labels } = taxonomy;
    this.#texts = labels.flatMap(({ examples, description }) =>
      examples.length > 0 ? examples : [description]
    );
    this.#ask = ask;
    this.#random = random;
  }

  /** Two decoys of different labels; undefined where the model has no two labels for all of them; a failure where it is away. */
  async draw(): Promise<readonly Decoy[] | undefined | LlmFailure> {
    const drawn: Decoy[] = [];
    for (const body of shuffled(this.#texts, this.#random)) {
      const category = await this.#categoryOf(body);
      if (typeof category === "object") return category;
      if (category === undefined || drawn.some((each) => each.category === category)) continue;
      drawn.push({ subject: "", body, category });
      if (drawn.length === DECOYS) return drawn;
    }
    return undefined;
  }

  /** The model said something else: it is asked again before this one is drawn again. */
  forget({ body }: TicketText): void {
    this.#learnt.delete(body);
  }

  #categoryOf(body: string): Promise<SaidAlone> {
    const known = this.#learnt.get(body);
    if (known !== undefined) return known;
    const asking = this.#ask({ subject: "", body }).then((category) => {
      if (typeof category === "object") this.#learnt.delete(body);
      return category;
    });
    this.#learnt.set(body, asking);
    return asking;
  }
}

/** In an order that nobody can guess. */
export function shuffled<T>(items: readonly T[], random: () => number): T[] {
  return items.map((item) => ({ item, at: random() })).sort((a, b) => a.at - b.at).map(({ item }) => item);
}
