// `deno task sim`: plays many schedules, and shows the first one that breaks something in its smallest form.

import { flagsOf } from "../support/test_command.ts";
import { LetterLog } from "../../consumer/core/parking/letter_log.ts";
import { Machine } from "../../consumer/core/machine.ts";
import { Balancer } from "../../shared/pool/replicas/balancer.ts";
import type { Core } from "./surroundings.ts";
import { scenarioOf } from "./scenario.ts";
import { describe, shrink } from "./shrink.ts";
import { run, type RunResult } from "./simulation.ts";

const core: Core = { Machine, Balancer, LetterLog };
/** Seeds between two lines of progress. */
const PROGRESS_EVERY = 1000;

function main(): number {
  const values = flagsOf("sim", "The delivery core under many seeded schedules of faults.", {
    seeds: { type: "string", default: "1000" },
    from: { type: "string", default: "1" },
    seed: { type: "string" },
    verbose: { type: "boolean", default: false },
  });
  const one = values.seed === undefined ? undefined : wholeNumber("--seed", values.seed);
  const from = one ?? wholeNumber("--from", values.from);
  const seeds = one === undefined ? wholeNumber("--seeds", values.seeds) : 1;
  return values.verbose ? narrate(from) : playAll(from, seeds);
}

function playAll(from: number, seeds: number): number {
  const startedMs = performance.now();
  const sums = { events: 0, posts: 0, deadLetters: 0, tookMs: 0 };
  for (let seed = from; seed < from + seeds; seed++) {
    const result = run(scenarioOf(seed), core);
    if (result.violation !== undefined) return fail(seed, result.violation.invariant, result);
    sums.events += result.events;
    sums.posts += result.posts;
    sums.deadLetters += result.deadLetters;
    sums.tookMs += result.tookMs;
    if ((seed - from + 1) % PROGRESS_EVERY === 0) print(`${seed - from + 1} of ${seeds} schedules hold`);
  }
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  print(
    `${seeds} schedules hold: ${sums.events} events, ${sums.posts} attempts, ${sums.deadLetters} dead letters, ` +
      `${Math.round(sums.tookMs / 3_600_000)} hours of virtual time in ${seconds} s`,
  );
  return 0;
}

function fail(seed: number, invariant: string, { violation }: RunResult): number {
  print(`Seed ${seed} fails. ${violation?.message}`);
  const small = shrink(scenarioOf(seed), invariant, core);
  const lines: string[] = [];
  const again = run(small, core, (line) => lines.push(line));
  print(`The smallest schedule that fails the same way:\n${describe(small)}`);
  print(`What happens in it:\n${lines.slice(-80).join("\n")}\n${again.violation?.message}`);
  print(`Whole story: deno task sim --seed ${seed} --verbose`);
  return 1;
}

function narrate(seed: number): number {
  const scenario = scenarioOf(seed);
  print(`Seed ${seed}:\n${describe(scenario)}`);
  const { violation } = run(scenario, core, print);
  print(violation === undefined ? "All invariants hold" : violation.message);
  return violation === undefined ? 0 : 1;
}

function wholeNumber(name: string, text: string): number {
  if (!/^\d+$/.test(text)) throw new Error(`${name} is not a whole number: current value is "${text}"`);
  return Number(text);
}

function print(line: string): void {
  const bytes = new TextEncoder().encode(`${line}\n`);
  for (let written = 0; written < bytes.length;) written += Deno.stdout.writeSync(bytes.subarray(written));
}

if (import.meta.main) Deno.exit(main());
