// Prometheus's own tool takes the configuration, the alerts fire when they should, and the dashboard leaves nothing out.

import assert from "node:assert/strict";
import { type Parsed, textOf } from "../support/images/deploy_files.ts";
import { promtool, run } from "../support/images/deploy_tools.ts";
import { exportedMetrics } from "../support/exported_metrics.ts";

const FOLDER = "deploy/observability";
const dashboard: Parsed = JSON.parse(textOf(`${FOLDER}/grafana/dashboards/ackpool.json`));
const expressions: readonly string[] = dashboard.panels.flatMap(({ targets = [] }: Parsed) =>
  targets.map(({ expr }: Parsed) => expr)
);

for (
  const [about, ...args] of [
    ["takes the configuration", "check", "config", "--syntax-only", `${FOLDER}/prometheus.yaml`],
    ["takes the alerts", "check", "rules", `${FOLDER}/alerts.yaml`],
    ["says that the alerts fire when they should", "test", "rules", `${FOLDER}/alerts_test.yaml`],
  ]
) {
  Deno.test(`promtool ${about}`, async () => {
    const { code, output } = await run([...await promtool(), ...args]);
    assert.equal(code, 0, output);
  });
}

Deno.test("promtool takes every expression of the dashboard", async () => {
  const rules = expressions.map((expr, at) => ({
    record: `panel:${at}`,
    expr: expr.replaceAll("$__rate_interval", "1m"),
  }));
  const file = await Deno.makeTempFile({ suffix: ".yaml" });
  try {
    await Deno.writeTextFile(file, JSON.stringify({ groups: [{ name: "dashboard", rules }] }));
    const { code, output } = await run([...await promtool(), "check", "rules", file]);
    assert.equal(code, 0, output);
    assert.match(output, new RegExp(`${expressions.length} rules found`));
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("the dashboard shows every metric of ours that is exported", () => {
  const names = [...exportedMetrics().keys()].filter((name) => /^ackpool_(?!.*_(sum|count)$)/.test(name));
  const shown = expressions.join(" ");
  assert.deepEqual(names.filter((name) => !new RegExp(`\\b${name}\\b`).test(shown)), []);
});
