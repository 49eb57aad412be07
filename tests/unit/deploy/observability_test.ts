// Holds alerts and dashboard against the code: every metric and label they name is one that a program of ours exports.

import assert from "node:assert/strict";
import { type Parsed, textOf, yamlOf } from "../../support/images/deploy_files.ts";
import { exportedMetrics } from "../../support/exported_metrics.ts";

const exported = exportedMetrics();

const rules: readonly Parsed[] = yamlOf("deploy/observability/alerts.yaml").groups.flatMap((group: Parsed) =>
  group.rules
);
const dashboard: Parsed = JSON.parse(textOf("deploy/observability/grafana/dashboards/ackpool.json"));
const panels: readonly Parsed[] = dashboard.panels;
const expressions: readonly string[] = [
  ...rules.map(({ expr }) => expr),
  ...panels.flatMap(({ targets = [] }) => targets.map(({ expr }: Parsed) => expr)),
];

/** Labels that Prometheus itself adds. */
const ADDED = ["job", "instance", "le"];

Deno.test("alerts and dashboard ask for metrics that are exported", () => {
  const asked = expressions.flatMap((expr) => expr.match(/\backpool_\w+/g) ?? []);
  assert.ok(asked.length > 40);
  assert.deepEqual(asked.filter((name) => !exported.has(name)), []);
});

Deno.test("every metric of ours has a panel, but those that an alert alone is about", () => {
  const asked = new Set(expressions.flatMap((expr) => expr.match(/\backpool_\w+/g) ?? []));
  const ours = [...exported.keys()].filter((name) =>
    name.startsWith("ackpool_") && !/_(sum|count)$/.test(name)
  );
  assert.deepEqual(ours.filter((name) => !asked.has(name)), []);
});

Deno.test("alerts and dashboard use labels that the metric has", () => {
  for (const expr of expressions) {
    const names = expr.match(/\backpool_\w+/g) ?? [];
    const known = [...ADDED, ...names.flatMap((name) => exported.get(name) ?? [])];
    const grouped = [...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list]) => (list ?? "").split(/,\s*/));
    const matched = [...expr.matchAll(/[{,](\w+)(?:=~|!~|!=|=)"/g)].map(([, label]) => label ?? "");
    assert.deepEqual([...grouped, ...matched].filter((label) => !known.includes(label)), [], expr);
  }
});

Deno.test("a legend names labels that the expression keeps", () => {
  for (const { expr, legendFormat } of panels.flatMap(({ targets = [] }) => targets)) {
    const kept = /\bby \(([^)]*)\)/.exec(expr)?.[1]?.split(/,\s*/) ??
      (/^(rate\()?\w+/.test(expr) ? ADDED : []);
    const named = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label);
    assert.deepEqual(named.filter((label) => !kept.includes(label)), [], expr);
  }
});

Deno.test("the dashboard's panels do not overlap and have a title and an id of their own", () => {
  assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, at) => `${x + at % w},${y + Math.floor(at / w)}`)
  );
  assert.equal(new Set(cells).size, cells.length);
  assert.ok(panels.every(({ title, gridPos: { x, w } }) => title && x + w <= 24));
});

Deno.test("every alert says what is wrong and how bad it is", () => {
  for (const { alert, labels, annotations } of rules) {
    assert.ok(["critical", "warning"].includes(labels.severity) && annotations.summary, alert);
  }
});

Deno.test("Prometheus asks compose's services on the ports they listen on", () => {
  const { services } = yamlOf("compose.yaml");
  const jobs: readonly Parsed[] = yamlOf("deploy/observability/prometheus.yaml").scrape_configs;
  const asked = jobs.map(({ dns_sd_configs: [{ names, port }] }) => [names[0], port]);
  assert.deepEqual(asked, [
    ["consumer", services.consumer.environment.HEALTH_PORT],
    ["ingress", services.ingress.environment.PORT],
    ["worker", services.worker.environment.PORT],
  ]);
});
