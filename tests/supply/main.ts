// `deno task supply`: what is taken from others: known holes, licences, packages that nobody looks after; --sbom prints all.

import { flagsOf, show } from "../support/test_command.ts";
import { lockPackages } from "../support/supply/lock_packages.ts";
import { sbomOf } from "../support/supply/sbom.ts";
import { licenceProblem, staleNames, UNMAINTAINED } from "../support/supply/supply_rules.ts";

const values = flagsOf("supply", "Known holes, licences and unmaintained packages among the dependencies.", {
  /** Prints a CycloneDX 1.6 document and nothing else. */
  sbom: { type: "boolean", default: false },
});

/** Deno asks the registry for advisories. Where it does not answer, that is said and is no failure. */
async function audit(): Promise<{ readonly text: string; readonly good: boolean }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args: ["audit"] }).output();
  const text = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("").trim();
  if (code === 0) return { text: text || "none", good: true };
  const away = /error sending request|Connect|timed out|registry responded/i.test(text);
  return away
    ? {
      text: `not asked: ${
        /error sending request[^:]*: ?(.*)/.exec(text)?.[1] ?? "the registry does not answer"
      }`,
      good: true,
    }
    : { text, good: false };
}

async function main(): Promise<number> {
  const packages = await lockPackages();
  if (values.sbom) {
    show(`${JSON.stringify(sbomOf(packages), null, 2)}\n`);
    return 0;
  }
  const holes = await audit();
  const problems = [
    ...packages.flatMap((each) => licenceProblem(each) ?? []),
    ...staleNames().map((name) => `${name} is named and is no dependency`),
  ];
  const counts = Map.groupBy(
    packages,
    ({ licence, isElsewhere }) => isElsewhere ? "other platforms" : licence ?? "none",
  );
  show(`known holes (deno audit): ${holes.text}\n`);
  show(
    `licences of ${packages.length} packages: ${
      [...counts].map(([name, all]) => `${name} ${all.length}`).join(", ")
    }\n`,
  );
  for (const problem of problems) show(`  ${problem}\n`);
  show("hardly maintained:\n");
  for (const { name, why, instead } of UNMAINTAINED) show(`  ${name}: ${why}\n    instead: ${instead}\n`);
  return holes.good && problems.length === 0 ? 0 : 1;
}

Deno.exit(await main());
