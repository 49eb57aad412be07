// The worker's review page in a real browser, worked through with keys alone.

import assert from "node:assert/strict";
import { until } from "../support/until.ts";
import { reviewableWorker } from "../support/workers/reviewable_worker.ts";
import { seriousViolations } from "./axe.ts";
import { startChromium } from "./chromium.ts";
import { Tab } from "./scene.ts";

Deno.test("tickets are reviewed with keys: a digit chooses, Enter confirms, and the next one is there", async () => {
  const { app, tables } = await reviewableWorker(3);
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, app.fetch);
  const browser = await startChromium();
  try {
    for (const colorScheme of ["light", "dark"] as const) {
      const context = await browser.newContext({ colorScheme, viewport: { width: 390, height: 844 } });
      await using tab = new Tab(context, await context.newPage());
      await tab.page.goto(`http://127.0.0.1:${server.addr.port}/review`);
      assert.deepEqual(await seriousViolations(tab.page), [], colorScheme);
      assert.equal(await tab.page.evaluate("document.documentElement.scrollWidth > innerWidth"), false);
    }
    const context = await browser.newContext();
    await using tab = new Tab(context, await context.newPage());
    const { page, errors } = tab;
    await page.goto(`http://127.0.0.1:${server.addr.port}/review`);
    assert.equal(await page.locator("article:visible h2").innerText(), "Subject of 1");
    assert.equal(await page.locator("article:visible pre").innerText(), "Body of <1>");
    // Somebody has to say who they are.
    await page.keyboard.press("Enter");
    await page.getByText("Say who decides first.").waitFor();
    await page.keyboard.type("Ada");
    await page.keyboard.press("Tab");
    await page.evaluate("document.activeElement.blur()");
    await page.keyboard.press("2");
    await page.keyboard.press("Enter");
    await page.getByText("Subject of 2").waitFor();
    await page.keyboard.press("Enter");
    await page.getByText("Subject of 3").waitFor();
    await page.keyboard.press("3");
    await page.keyboard.press("Enter");
    await page.getByText(/No label is less certain than/).waitFor();
    await until("three decisions", () => tables.overrides.size === 3);
    assert.deepEqual([...tables.overrides], [["1", "bug"], ["2", "billing"], ["3", "feature_request"]]);
    assert.match(await page.locator("main").innerText(), /Decided last/);
    // A decision can be undone, with keys alone.
    await page.getByRole("button", { name: "Undo: ticket 1 is not bug" }).focus();
    await page.keyboard.press("Enter");
    await page.getByText("1 is undone: the model's label billing counts again").waitFor();
    assert.deepEqual([...tables.overrides.keys()], ["2", "3"]);
    const focused = await page.evaluate("document.activeElement.dataset.undo");
    assert.ok(["2", "3"].includes(String(focused)), String(focused));
    await page.reload();
    await page.getByText("Subject of 1").waitFor();
    assert.deepEqual(await seriousViolations(page), []);
    assert.equal(await page.locator("[data-undo]").count(), 2);
    assert.deepEqual(errors, []);
  } finally {
    await browser.close();
  }
});
