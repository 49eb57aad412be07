// The consumer's page in a real browser, with records coming all the time.

import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { until } from "../support/until.ts";
import { seriousViolations } from "./axe.ts";
import { BrowserScene, type Tab } from "./scene.ts";

const SCREENS = ["/", "/page/partitions", "/page/pool", "/page/tickets", "/page/dead-letters"];
const BAD = 4;
const CAUSE = "rejected 422 /problems/no-subject";

/** Text of the first element, in one line. */
const textOf = async (page: Page, selector: string) =>
  (await page.locator(selector).first().innerText()).replace(/\s+/g, " ");

/** Opens a screen and waits until its script has heard from the consumer. */
async function look(tab: Tab, url: string): Promise<Page> {
  await tab.page.goto(url);
  await tab.page.locator("#live .banner").waitFor();
  return tab.page;
}

Deno.test("the page of a consumer under load", async (t) => {
  await using scene = await BrowserScene.start();
  const consumer = scene.consumer();
  const { adminUrl } = consumer;
  await consumer.untilReady();
  await scene.scene.produce(Array.from({ length: BAD }, (_, at) => `bad <b>${at}</b>`));
  const binary = new Uint8Array([0x62, 0x61, 0x64, 0xff, 0x00]);
  await scene.kafka.produce(scene.scene.topic, [{ key: "binary", value: Buffer.from(binary) }]);
  scene.load();

  await t.step("each screen is sound on a desk and on a phone, in light and dark", async () => {
    for (const colorScheme of ["light", "dark"] as const) {
      await using tab = await scene.open({ colorScheme, viewport: { width: 390, height: 844 } });
      for (const path of SCREENS) {
        const page = await look(tab, adminUrl + path);
        await page.locator("[aria-busy=true]").waitFor({ state: "detached" });
        assert.deepEqual(await seriousViolations(page), [], `${path} in ${colorScheme}`);
        const wide = await page.evaluate("document.documentElement.scrollWidth > innerWidth");
        assert.equal(wide, false, `${path} scrolls sideways`);
      }
      assert.deepEqual(tab.errors, []);
    }
  });

  await t.step("Now says that it runs, answers eleven questions and draws the hour", async () => {
    await using tab = await scene.open();
    const page = await look(tab, adminUrl);
    await page.locator(".banner.running").waitFor();
    assert.match(await textOf(page, "#live .banner .sentence"), /^Running: /);
    assert.equal(await page.locator(".checks li").count(), 11);
    await page.locator(".chart canvas").waitFor();
    assert.match(await textOf(page, "main"), /in the model: \d+ ms/);
    assert.deepEqual(tab.errors, []);
  });

  await t.step("Partitions and Pool show what there is", async () => {
    await using tab = await scene.open();
    let page = await look(tab, `${adminUrl}/page/partitions`);
    assert.equal(await page.locator(".partition").count(), 8);
    page = await look(tab, `${adminUrl}/page/pool`);
    assert.match(
      await textOf(page, "tbody tr"),
      /^http:\/\/127.0.0.1:\d+ .*takes work since .* of 8 WORKER_CONCURRENCY/,
    );
    assert.deepEqual(tab.errors, []);
  });

  await t.step("Tickets keep their filter in the address, are found one by one, and hold still", async () => {
    await using tab = await scene.open();
    const page = await look(tab, `${adminUrl}/page/tickets`);
    await page.getByLabel("Label").fill("billing");
    await page.getByRole("button", { name: "Show" }).click();
    await page.waitForURL(/label=billing/);
    const labels = await page.locator("tbody tr td:nth-child(4)").allInnerTexts();
    assert.ok(labels.length > 0 && labels.every((text) => /^billing \d+%$/.test(text)), labels.join());
    await page.getByRole("button", { name: "Hold still" }).click();
    const first = await textOf(page, "tbody th");
    await page.locator("tbody th a").first().click();
    await page.waitForURL(/find=/);
    assert.equal(await page.locator("tbody tr").count(), 1);
    assert.equal(await textOf(page, "tbody th"), first);
    await page.locator("summary").click();
    assert.match(await textOf(page, "details ol"), /^written .* 200 after .* settled/);
    assert.deepEqual(tab.errors, []);
  });

  await t.step("a dead letter is shown as text, a binary one as such", async () => {
    await using tab = await scene.open();
    const page = await look(tab, `${adminUrl}/page/dead-letters`);
    const row = page.locator("#letters tbody tr", { hasText: CAUSE }).first();
    await row.waitFor();
    assert.match(await row.innerText(), new RegExp(`${BAD + 1}`));
    const values: string[] = [];
    for (const at of await page.locator("#letters table").nth(1).locator("[data-letter]").allInnerTexts()) {
      await page.locator("#letters table").nth(1).getByRole("button", { name: at }).click();
      await page.getByRole("heading", { name: at, exact: true }).waitFor();
      values.push(await textOf(page, "dialog pre"));
      await page.keyboard.press("Escape");
    }
    assert.ok(values.includes("bad <b>0</b>"), values.join());
    assert.ok(
      values.some((text) => /^\(binary, about \d+ bytes, as base64\) YmFk/.test(text)),
      values.join(),
    );
    assert.deepEqual(tab.errors, []);
  });

  await t.step("one is dropped, with the number typed in", async () => {
    await using tab = await scene.open();
    const page = await look(tab, `${adminUrl}/page/dead-letters?key=binary`);
    await page.getByRole("button", { name: "Drop" }).first().click();
    const drop = page.getByRole("button", { name: "Drop 1", exact: true });
    await page.getByLabel("Type drop 1 to go on").fill("drop");
    assert.equal(await drop.isDisabled(), true);
    await page.getByLabel("Type drop 1 to go on").fill("drop 1");
    await drop.click();
    await page.getByText("1 are dropped.").waitFor();
    assert.deepEqual(tab.errors, []);
  });

  await t.step("all of a cause are replayed, with a plan first", async () => {
    scene.mood.refuses = undefined;
    await using tab = await scene.open();
    const page = await look(tab, `${adminUrl}/page/dead-letters`);
    const row = page.locator("#letters tbody tr", { hasText: CAUSE }).first();
    await row.getByRole("button", { name: `Replay ${BAD}` }).click();
    await page.getByText(`Replay ${BAD} dead letters?`).waitFor();
    await page.getByLabel("Records a second").fill("50");
    await page.locator("dialog").getByRole("button", { name: `Replay ${BAD}` }).click();
    await page.getByText(`The replay is done: ${BAD} of ${BAD} replayed.`).waitFor();
    await page.getByText("There is no open dead letter.").waitFor();
    assert.deepEqual(tab.errors, []);
  });

  await t.step("everything is paused and resumed from the page, and the banner says by whom", async () => {
    await using tab = await scene.open();
    const page = await look(tab, `${adminUrl}/page/pool`);
    await page.getByRole("button", { name: "Pause everything" }).click();
    await page.getByLabel("Your name, for the log").fill("Ada");
    await page.locator("dialog").getByRole("button", { name: "Pause everything" }).click();
    await page.getByText("everything is paused.", { exact: true }).waitFor();
    await page.keyboard.press("Escape");
    await page.locator(".banner.held-up").waitFor();
    assert.match(await textOf(page, "#live .banner"), /paused.*Ada/i);
    await page.getByRole("button", { name: "Resume Everything" }).click();
    await page.locator("dialog").getByRole("button", { name: "Resume everything" }).click();
    await page.getByText("everything is resumed.", { exact: true }).waitFor();
    await page.keyboard.press("Escape");
    await page.locator(".banner.running").waitFor();
    assert.deepEqual(tab.errors, []);
  });

  await t.step("the keyboard alone leads everywhere", async () => {
    await using tab = await scene.open();
    const page = await look(tab, adminUrl);
    const focused = () => page.evaluate("document.activeElement.innerText || document.activeElement.id");
    await page.keyboard.press("Tab");
    assert.equal(await focused(), "To the content");
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate("document.activeElement.id"), "content");
    await page.goto(adminUrl);
    for (const name of ["To the content", "Now", "Partitions", "Pool"]) {
      await page.keyboard.press("Tab");
      assert.equal(await focused(), name);
    }
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/page\/pool$/);
  });

  await t.step("held up, then running again, then silent: each looks different", async () => {
    await using tab = await scene.open();
    const page = await look(tab, adminUrl);
    scene.mood.broken = true;
    await page.locator(".banner.held-up").waitFor();
    assert.match(await textOf(page, "#live .banner .state"), /Held up: \S+/);
    assert.match(await textOf(page, "#live .banner"), /What to do: .* If nothing is done: /);
    assert.deepEqual(await seriousViolations(page), []);
    scene.mood.broken = false;
    await page.locator(".banner.running").waitFor();
    assert.equal(await page.locator("#stale").isVisible(), false);
    await consumer.child.end("SIGKILL", 10_000);
    await page.locator("#stale").waitFor();
    assert.match(await textOf(page, "#stale"), /^No news from the consumer for \d+ s\./);
    assert.deepEqual(await seriousViolations(page), []);
  });

  await t.step("with ADMIN_TOKEN nothing is shown before a login", async () => {
    const guarded = scene.consumer({ ADMIN_TOKEN: "a token" });
    await until("a port", async () => (await fetch(`${guarded.adminUrl}/livez`)).ok);
    await using tab = await scene.open();
    const { page } = tab;
    await page.goto(`${guarded.adminUrl}/page/pool`);
    assert.match(page.url(), /\/login\?next=%2Fpage%2Fpool$/);
    assert.deepEqual(await seriousViolations(page), []);
    await page.getByLabel("A token of ADMIN_TOKEN").fill("guess");
    await page.keyboard.press("Enter");
    await page.getByText("That is none of ADMIN_TOKEN.").waitFor();
    await page.getByLabel("A token of ADMIN_TOKEN").fill("a token");
    await page.keyboard.press("Enter");
    await page.locator("#live .banner").waitFor();
    assert.match(page.url(), /\/page\/pool$/);
    await page.getByRole("button", { name: "Log out" }).click();
    await page.waitForURL(/\/login$/);
    await page.goto(guarded.adminUrl);
    assert.match(page.url(), /\/login/);
    assert.deepEqual(tab.errors, []);
  });
});
