// Answer of a model: what is left of its text without what it thought aloud. Every vendor marks thoughts differently; all
// spellings are read by one table, in time proportional to the text.

import { type FoundObject, LenientJson } from "./lenient_json.ts";

/** What a model answered. */
export interface Answer {
  /** JSON objects outside of thoughts, those inside others before them, at their places in the whole text. */
  readonly objects: readonly FoundObject[];
  /** The text around them, thoughts left out. */
  readonly plain: string;
}

/** Longer answers are not read: no label takes so many characters, and 50 of them with thoughts do not either. */
const CHARACTERS_MAX = 131_072;
/** Braces that may turn out to begin no object. */
const ATTEMPTS_MAX = 2_000;

/** Names of tags between which a model thinks, in letters alone: `<Thinking>`, `[THINK]` and `◁think▷` are one. */
const THOUGHT =
  /^(?:(?:seed|ant|longcat|m|inner|internal|deep|assistant|chainof)?(?:think|thinking|thought|thoughts|thoughtprocess|reasoning|reasoningprocess|reasoningcontent|reflection|analysis|scratchpad|monologue|deliberation|rationale)|cot|reason|思考|推理|思维链)$/;
/** `<|begin_of_thought|>`, `<|START_THINKING|>`, `<|end_of_thought|>`. */
const BEGIN = /^(?:begin|start)(?:of)?|(?:begin|start)$/;
const END = /^(?:end|stop)(?:of)?|(?:end|stop)$/;
/** Channels of OpenAI's harmony format that are not the answer. */
const ASIDE = /^(?:analysis|commentary|thought|think|reasoning)/;
/** Tags around an answer, which are no part of it. */
const AROUND =
  /^(?:begin|end)?(?:of)?(?:final)?(?:answer|response|output|result|solution|message|final|category|label)$/;
/** What ends a channel. */
const CHANNEL_END = new Set(["end", "return", "start", "call", "imend"]);
/** A tag in any of the brackets in use, or a sentence that announces thoughts or the answer. All repeats are bounded. */
const TAG =
  /(?:<\|?|\[|◁|＜|&lt;)(\/?)([\p{L}_:\- ]{1,40}\d{0,3})(?:\s[^<>\[\]\n]{0,80})?(?:\|?>|\]|▷|＞|&gt;)|here(?:'s| is| are) my (thought process|reasoning|reasoning steps|thinking|thinking process|response|answer|final answer) ?:/giu;
/** The same format with its tags lost: `analysisThe user …assistantfinal{…}`. */
const BARE_CHANNEL = /^\s{0,20}analysis/;
const BARE_FINAL = "assistantfinal";

type Mark = "thought" | "thought_end" | "answer" | "none";

/** Splits a text into what was thought and what was answered; undefined where it is too long to be an answer. */
export function answerIn(text: string): Answer | undefined {
  if (text.length > CHARACTERS_MAX) return undefined;
  return new AnswerReader(text).read();
}

class AnswerReader {
  readonly #text: string;
  readonly #json: LenientJson;
  #objects: FoundObject[] = [];
  #plain = "";
  #at = 0;
  #failed = 0;
  #brace: number;

  constructor(text: string) {
    this.#text = text;
    this.#json = new LenientJson(text);
    this.#brace = text.indexOf("{");
  }

  read(): Answer {
    const final = BARE_CHANNEL.test(this.#text) ? this.#text.lastIndexOf(BARE_FINAL) : -1;
    if (final >= 0) this.#at = final + BARE_FINAL.length;
    const tags = new Tags(this.#text);
    for (;;) {
      const brace = this.#nextBrace();
      const tag = tags.from(this.#at);
      if (brace < 0 && tag === undefined) break;
      if (tag === undefined || (brace >= 0 && brace < tag.from)) this.#takeObject(brace);
      else this.#takeTag(tag, tags);
    }
    return { objects: this.#objects, plain: this.#plain + this.#text.slice(this.#at) };
  }

  /** The next place where an object may begin; each stretch of the text is searched once. */
  #nextBrace(): number {
    if (this.#failed >= ATTEMPTS_MAX) return -1;
    if (this.#brace >= 0 && this.#brace < this.#at) this.#brace = this.#text.indexOf("{", this.#at);
    return this.#brace;
  }

  #takeObject(from: number): void {
    const objects = this.#json.objectsAt(from);
    const to = objects.at(-1)?.to ?? from + 1;
    if (objects.length === 0) this.#failed++;
    this.#plain += this.#text.slice(this.#at, objects.length > 0 ? from : to);
    this.#objects.push(...objects);
    this.#at = to;
  }

  #takeTag(tag: Tag, tags: Tags): void {
    const keep = tag.mark === "none" && !AROUND.test(tag.name);
    this.#plain += this.#text.slice(this.#at, keep ? tag.to : tag.from);
    this.#at = tag.to;
    switch (tag.mark) {
      case "thought": {
        let end = tags.from(this.#at);
        while (end !== undefined && !endsThought(end)) end = tags.from(end.to);
        // Thoughts that never end leave no answer behind them.
        this.#at = end?.to ?? this.#text.length;
        return;
      }
      case "thought_end":
      case "answer":
        // All that came before was thought: a template may have written the opening tag.
        this.#objects = [];
        this.#plain = "";
        return;
      case "none":
        return;
      default:
        return tag.mark satisfies never;
    }
  }
}

function endsThought({ mark, name }: Tag): boolean {
  return mark === "thought_end" || mark === "answer" || CHANNEL_END.has(name);
}

interface Tag {
  readonly mark: Mark;
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

/** The tags of a text, one after another. */
class Tags {
  readonly #text: string;
  #next: Tag | undefined;
  #searchedFrom = -1;

  constructor(text: string) {
    this.#text = text;
  }

  /** The first tag at or after a place; places only grow. */
  from(at: number): Tag | undefined {
    if (this.#next !== undefined && this.#next.from >= at && this.#searchedFrom <= at) return this.#next;
    if (this.#next === undefined && this.#searchedFrom >= 0 && this.#searchedFrom <= at) return undefined;
    TAG.lastIndex = at;
    const match = TAG.exec(this.#text);
    this.#searchedFrom = at;
    this.#next = match === null ? undefined : this.#tagOf(match);
    return this.#next;
  }

  #tagOf(match: RegExpExecArray): Tag {
    const [whole, slash = "", written = "", sentence] = match;
    const from = match.index;
    if (sentence !== undefined) {
      const mark = /response|answer/i.test(sentence) ? "answer" : "thought";
      return { mark, name: sentence, from, to: from + whole.length };
    }
    const name = written.toLowerCase().replace(/[^\p{L}\d]/gu, "");
    if (name === "channel" || name === "imstart") return this.#channel(whole, from, name);
    if (whole.endsWith("/>")) return { mark: "none", name, from, to: from + whole.length };
    return { mark: markOf(name, slash === "/"), name, from, to: from + whole.length };
  }

  /** `<|channel|>analysis<|message|>` opens a thought, `<|channel|>final<|message|>` ends it, and so does `<channel|>`. */
  #channel(tag: string, from: number, name: string): Tag {
    const to = from + tag.length;
    const named = this.#text.slice(to, to + 12).trimStart().toLowerCase();
    if (ASIDE.test(named)) return { mark: "thought", name, from, to };
    const [final] = /^(?:final|answer)/.exec(named) ?? [];
    if (final === undefined) return { mark: name === "channel" ? "thought_end" : "none", name, from, to };
    const spaces = this.#text.slice(to, to + 12).search(/\S/);
    return { mark: "answer", name, from, to: to + spaces + final.length };
  }
}

function markOf(name: string, closes: boolean): Mark {
  // MedGemma's tokens for its thoughts.
  if (name === "unused94") return "thought";
  if (name === "unused95") return "thought_end";
  if (THOUGHT.test(name)) return closes ? "thought_end" : "thought";
  if (BEGIN.test(name) && THOUGHT.test(name.replace(BEGIN, ""))) return "thought";
  return END.test(name) && THOUGHT.test(name.replace(END, "")) ? "thought_end" : "none";
}
