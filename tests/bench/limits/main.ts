// `deno task bench:limits`: limits found by adapting beside the best fixed ones, in virtual time; fails below 95%.

import { flagsOf } from "../../support/test_command.ts";
import { textTable } from "../../../shared/text_table.ts";
import { CASES, find, type Found, recover, type Recovery } from "./cases.ts";

/** Share of the best fixed limit's goodput that is asked for. */
const GOAL = 0.95;
/** Seconds in which 95% of what an overload took has to be back. */
const BACK_WITHIN_SECONDS = 20;

const values = flagsOf("bench:limits", "Adaptive limits beside the best fixed ones, in virtual time.", {
  seconds: { type: "string", default: "300" },
  seed: { type: "string", default: "1" },
  json: { type: "boolean", default: false },
  only: { type: "string", default: "" },
});

function print(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}

function limitsTable(found: readonly Found[]): string {
  const head = ["provider", "limit", "goodput/s", "p50 ms", "p95 ms", "429/s", "ratio"];
  return textTable([
    head,
    ...found.flatMap(({ name, bestLimit, best, adaptive, ratio }) => [
      [
        name,
        `best fixed ${bestLimit}`,
        best.goodput.toFixed(1),
        `${best.p50Ms}`,
        `${best.p95Ms}`,
        best.refusals.toFixed(2),
        "",
      ],
      [
        "",
        `adaptive ${adaptive.inFlight.toFixed(1)}`,
        adaptive.goodput.toFixed(1),
        `${adaptive.p50Ms}`,
        `${adaptive.p95Ms}`,
        adaptive.refusals.toFixed(2),
        ratio.toFixed(3),
      ],
    ]),
  ]);
}

function recoveryTable(recovered: readonly Recovery[]): string {
  const rows = recovered.map(({ name, before, seconds }) => [name, before.toFixed(1), String(seconds)]);
  return textTable([["after 10 s at a quarter", "goodput/s before", "95% back after s"], ...rows]);
}

const cases = CASES.filter(({ name }) => name.includes(values.only));
const found = cases.map((each) => find(each, Number(values.seconds) * 1000, Number(values.seed)));
const recovered = cases.filter(({ bursts }) => bursts === undefined).map((each) =>
  recover(each, Number(values.seed))
);
if (values.json) print(JSON.stringify({ found, recovered }, null, 2));
else print(`${limitsTable(found)}\n\n${recoveryTable(recovered)}`);
const slow = recovered.some(({ seconds }) => seconds > BACK_WITHIN_SECONDS);
if (slow || found.some(({ ratio }) => ratio < GOAL)) Deno.exit(1);
