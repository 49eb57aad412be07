// Words of a provider: the one way by which what a provider said leaves this folder. Bounded, on one line, and without
// our secrets; whatever an answer, a log line, a label, a metric or `/readyz` shows of it has come through here.

import type { Completion, Lesson, LlmFailure, Usage } from "../core/llm.ts";
import { plainText } from "../core/plain_text.ts";
import type { Secrets } from "./secrets.ts";

/** What stands where a provider repeated a secret. */
const HIDDEN = "[secret]";
const DETAIL_MAX = 300;
const NAME_MAX = 200;
/** Longer answers are not read. */
const CONTENT_MAX = 131_072;
/** What a header's value may hold: RFC 9110 section 5.5, without obs-text. */
const HEADER_VALUE = /^[\x20-\x7e]{1,200}$/;

/** See the file's first line. */
export class ProviderWords {
  readonly #secrets: Secrets;

  constructor(secrets: Secrets) {
    this.#secrets = secrets;
  }

  /** An answer of any kind. A completion that repeats a secret has said nothing. */
  answer(answer: Completion | LlmFailure): Completion | LlmFailure {
    if (answer.kind === "failed") return this.failure(answer);
    const usage = this.usage(answer);
    const isUnfit = answer.content.length > CONTENT_MAX || this.#secrets.isIn(answer.content);
    return isUnfit ? { ...usage, content: "", tokens: [] } : usage;
  }

  /** Why no answer came. */
  failure(failure: LlmFailure): LlmFailure {
    return { ...failure, detail: this.#text(failure.detail), headers: this.headers(failure.headers) };
  }

  /** What was billed, under a name that can be stored and shown. */
  usage<T extends Usage>(usage: T): T {
    const model = plainText(usage.model, NAME_MAX);
    if (model === usage.model && !this.#secrets.isIn(model)) return usage;
    return { ...usage, model: usage.askedModel ?? HIDDEN };
  }

  /** What was learnt; the reason is the provider's. */
  lesson(lesson: Lesson): Lesson {
    return { ...lesson, because: this.#text(lesson.because) };
  }

  /** Fields to be passed on; one that is no plain text, or repeats a secret, is left out. */
  headers(headers: Readonly<Record<string, string>>): Record<string, string> {
    return Object.fromEntries(
      Object.entries(headers).filter(([, value]) => HEADER_VALUE.test(value) && !this.#secrets.isIn(value)),
    );
  }

  #text(text: string): string {
    if (!this.#secrets.isIn(text)) return plainText(text, DETAIL_MAX);
    const words = text.split(" ").map((word) => this.#secrets.isIn(word) ? HIDDEN : word).join(" ");
    return this.#secrets.isIn(words) ? HIDDEN : plainText(words, DETAIL_MAX);
  }
}
