// The checker checked: every planted defect is found, and a table says in how many schedules.

import assert from "node:assert/strict";
import { LetterLog } from "../../consumer/core/parking/letter_log.ts";
import { Machine } from "../../consumer/core/machine.ts";
import { Balancer } from "../../shared/pool/replicas/balancer.ts";
import { DEFECTS } from "./defects.ts";
import { plant } from "./planted.ts";
import { scenarioOf } from "./scenario.ts";
import { run } from "./simulation.ts";

/** Schedules each defect is looked for in; more where it has not shown by then, until it does. */
const SEEDS = 300;
const SEEDS_MAX = 10_000;

Deno.test("the simulation finds nothing in the core as it is", () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { violation } = run(scenarioOf(seed), { Machine, Balancer, LetterLog });
    assert.equal(violation, undefined, `seed ${seed}`);
  }
});

Deno.test("the simulation finds every planted defect", async (t) => {
  const folder = await Deno.makeTempDir({ prefix: "ackpool-defects-" });
  const rows: string[] = [];
  try {
    for (const [index, defect] of DEFECTS.entries()) {
      await t.step(defect.name, async () => {
        const core = await plant(defect, `${folder}/${index}`);
        const found = new Map<string, number>();
        let seeds = 0;
        while (seeds < SEEDS || (found.size === 0 && seeds < SEEDS_MAX)) {
          const scenario = scenarioOf(++seeds);
          if (defect.parksKeys && !scenario.machine.parkKeys) continue;
          const { violation } = run(scenario, core);
          if (violation === undefined) continue;
          found.set(violation.invariant, (found.get(violation.invariant) ?? 0) + 1);
        }
        const times = [...found.values()].reduce((sum, each) => sum + each, 0);
        const first = [...found].sort(([, a], [, b]) => b - a)[0]?.[0];
        rows.push(
          `${defect.name.padEnd(62)} ${String(times).padStart(4)} of ${String(seeds).padEnd(5)} ${
            first ?? "not found"
          }`,
        );
        assert.ok(times > 0, `${defect.name}: not found in ${seeds} schedules`);
      });
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
    await Deno.stdout.write(new TextEncoder().encode(`\n${rows.join("\n")}\n`));
  }
});
