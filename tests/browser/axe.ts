// axe-core in a tab: what people with a screen reader, or without a mouse, would stumble over.

import axe from "axe-core/axe.min.js" with { type: "text" };
import type { Page } from "playwright-core";

interface Violation {
  readonly id: string;
  readonly impact: string | null;
  readonly nodes: readonly { readonly html: string }[];
}

/** Serious and critical violations, as text. The page's policy lets no script in; the browser's debugger does. */
export async function seriousViolations(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe);
  const violations = await page.evaluate("axe.run().then(({ violations }) => violations)") as Violation[];
  return violations.filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map(({ html }) => html.slice(0, 160)).join(" | ")}`);
}
