// McNemar's test: whether two subjects judged on the same tickets differ by more than chance. Pure.

import { isRight } from "./statistics.ts";
import type { Verdict } from "./run.ts";

/** Two subjects side by side, ticket by ticket. */
export interface Comparison {
  readonly bothRight: number;
  readonly onlyFirstRight: number;
  readonly onlySecondRight: number;
  readonly bothWrong: number;
  /** Two-sided exact p-value: how likely so uneven a split is, were both equally good. */
  readonly pValue: number;
}

/** Compares two runs over the same tickets in the same order. */
export function compareVerdicts(first: readonly Verdict[], second: readonly Verdict[]): Comparison {
  const pairs = first.slice(0, second.length).map((verdict, at) => {
    const other = second[at];
    return { first: isRight(verdict), second: other !== undefined && isRight(other) };
  });
  const count = (one: boolean, two: boolean) =>
    pairs.filter((pair) => pair.first === one && pair.second === two).length;
  const onlyFirstRight = count(true, false);
  const onlySecondRight = count(false, true);
  return {
    bothRight: count(true, true),
    onlyFirstRight,
    onlySecondRight,
    bothWrong: count(false, false),
    pValue: exactMcNemar(onlyFirstRight, onlySecondRight),
  };
}

/** The exact two-sided test: under the null hypothesis each ticket on which they differ is a fair coin toss. */
export function exactMcNemar(onlyFirst: number, onlySecond: number): number {
  const tosses = onlyFirst + onlySecond;
  let logTerm = -tosses * Math.LN2;
  let tail = 0;
  for (let heads = 0; heads <= Math.min(onlyFirst, onlySecond); heads++) {
    tail += Math.exp(logTerm);
    logTerm += Math.log(tosses - heads) - Math.log(heads + 1);
  }
  return Math.min(1, 2 * tail);
}
