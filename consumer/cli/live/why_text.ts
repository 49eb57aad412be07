// Text of `deno task why` for people. Pure.

import type { WhyJson } from "../../core/why/why.ts";
import { sentence } from "../../core/why/words.ts";
import { printable } from "../../../shared/printable.ts";
import { textTable } from "../../../shared/text_table.ts";

const MARKS = { ok: "ok", trouble: "!!", unknown: "?" } as const;

/** What one consumer says. @param by its admin port, shown where several were asked. */
export function whyAsText(answer: WhyJson, by: string | undefined): string {
  const { remedy, cost, checks, causes, cause } = answer;
  const head = by === undefined ? [] : [`${by}:`];
  const others = causes.filter(({ name }) => name !== cause);
  return [
    ...head,
    printable(answer.sentence),
    ...(remedy === null ? [] : [`What to do:         ${printable(sentence(remedy))}`]),
    ...(cost === null ? [] : [`If nothing is done: ${printable(cost)}`]),
    ...others.map(({ name, detail, remedy }) =>
      printable(`Also ${name}: ${sentence(detail)} ${sentence(remedy)}`)
    ),
    "",
    textTable(checks.map(({ state, question, text }) => [MARKS[state], question, printable(text)])),
  ].join("\n");
}
