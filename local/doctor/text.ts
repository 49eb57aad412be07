// The doctor's findings for people: a line each, with what to do below it. Pure.

import type { Finding, State } from "./finding.ts";

const WIDTH = 11;
/** ANSI colours (ECMA-48 section 8.3.117). */
const COLOURS: Readonly<Record<State, number>> = { ok: 32, warn: 33, fail: 31, embedded: 36 };
const WORDS: Readonly<Record<State, string>> = { ok: "ok", warn: "warn", fail: "FAIL", embedded: "-" };

/** All findings as they are read on a terminal, and how many are wrong. */
export function findingsAsText(findings: readonly Finding[], coloured: boolean): string {
  const lines = findings.flatMap(({ about, state, detail, remedy }) => {
    const word = WORDS[state].padEnd(4);
    const shown = coloured ? `\x1b[${COLOURS[state]}m${word}\x1b[0m` : word;
    const line = `${shown}  ${about.padEnd(WIDTH)} ${detail}`;
    return remedy === undefined ? [line] : [line, `${" ".repeat(WIDTH + 7)}→ ${remedy}`];
  });
  const count = (state: State) => findings.filter((each) => each.state === state).length;
  const [wrong, warned] = [count("fail"), count("warn")];
  const last = wrong + warned === 0 ? "Nothing is wrong." : `${wrong} wrong, ${warned} to look at.`;
  return [...lines, "", last].join("\n");
}
