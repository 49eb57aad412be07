// Learnt features of one model: what its provider refused, since when, and when it is asked again. Time comes in.

import type { Lesson } from "../core/llm.ts";
import {
  BEST_CHOICE,
  type Choice,
  FEATURE_NAMES,
  type FeatureName,
  thinksAnyway,
  wayOf,
} from "./features.ts";

/** What is learnt is tried again after so long, in ms: providers change. */
const RELEARN_MS = 24 * 3_600_000;

/** What models do that no parameter is about: what is done about it, and what shows it. */
const HABITS = {
  thoughts: { asks: "more tokens, as it thinks before it answers", because: "finish_reason length" },
  usage: { asks: "nothing: tokens are estimated from the texts", because: "its answers tell no usage" },
} as const;

type Habit = keyof typeof HABITS;

interface Learnt {
  readonly way: number;
  readonly lesson: Lesson;
  /** The best way is tried again from then on. */
  againMs: number;
}

/** What one model does not take. Calls that run at once may learn the same. */
export class LearntFeatures {
  readonly #model: string;
  readonly #nowMs: () => number;
  readonly #onLesson: (lesson: Lesson) => void;
  readonly #learnt: Map<FeatureName, Learnt> = new Map();
  readonly #habits: Map<Habit, Lesson> = new Map();

  /** @param onLesson called once for each lesson, and once more where a provider takes the best way again. */
  constructor(model: string, nowMs: () => number, onLesson: (lesson: Lesson) => void = () => {}) {
    this.#model = model;
    this.#nowMs = nowMs;
    this.#onLesson = onLesson;
  }

  /** All that is known. */
  get lessons(): readonly Lesson[] {
    return [...[...this.#learnt.values()].map(({ lesson }) => lesson), ...this.#habits.values()];
  }

  /** Whether its answers need room for thoughts. */
  needsRoom(choice: Choice): boolean {
    return this.#habits.has("thoughts") || thinksAnyway(choice);
  }

  /** The ways to ask now. One call alone tries again what was refused long ago. */
  choose(): Choice {
    if (this.#learnt.size === 0) return BEST_CHOICE;
    const choice: Record<FeatureName, number> = { ...BEST_CHOICE };
    const nowMs = this.#nowMs();
    for (const [feature, learnt] of this.#learnt) {
      if (nowMs < learnt.againMs) choice[feature] = learnt.way;
      else learnt.againMs = nowMs + RELEARN_MS;
    }
    return choice;
  }

  /** A request with these ways was answered. `because` has what was refused before it, for features to learn from. */
  accept(choice: Choice, because: ReadonlyMap<FeatureName, string>): void {
    if (this.#learnt.size === 0 && because.size === 0) return;
    for (const feature of FEATURE_NAMES) {
      const known = this.#learnt.get(feature);
      const reason = because.get(feature);
      if (choice[feature] === (known?.way ?? 0)) continue;
      if (choice[feature] === 0) this.#forget(feature);
      else if (reason !== undefined) this.#learn(feature, choice, reason);
    }
  }

  /** It turned out to have a habit. */
  note(habit: Habit): void {
    if (this.#habits.has(habit)) return;
    const { asks, because } = HABITS[habit];
    const lesson = this.#lesson(habit, asks, because);
    this.#habits.set(habit, lesson);
    this.#onLesson(lesson);
  }

  #learn(feature: FeatureName, choice: Choice, because: string): void {
    const lesson = this.#lesson(feature, wayOf(choice, feature).asks, because);
    this.#learnt.set(feature, { way: choice[feature], lesson, againMs: this.#nowMs() + RELEARN_MS });
    this.#onLesson(lesson);
  }

  #forget(feature: FeatureName): void {
    if (!this.#learnt.delete(feature)) return;
    this.#onLesson(this.#lesson(feature, wayOf(BEST_CHOICE, feature).asks, "it is taken again"));
  }

  #lesson(feature: Lesson["feature"], asks: string, because: string): Lesson {
    return { model: this.#model, feature, asks, because, since: new Date(this.#nowMs()).toISOString() };
  }
}
