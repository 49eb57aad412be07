// `deno task pictures`: makes docs/pictures anew: every screen of the page, of a consumer that has something to show.

import type { Page } from "playwright-core";
import { flagsOf, show } from "../support/test_command.ts";
import { reviewableWorker } from "../support/workers/reviewable_worker.ts";
import { BrowserScene } from "./scene.ts";

const FOLDER = "docs/pictures";
const WIDE = { width: 1100, height: 760 };
const GROUP = "ticket-classifier";
const PHONE = { width: 390, height: 760 };
/** The hour's picture needs some samples, one each five seconds. */
const BEFORE_MS = 40_000;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function save(page: Page, name: string): Promise<void> {
  const path = `${FOLDER}/${name}.png`;
  await page.screenshot({ path });
  show(`${path} ${Math.round(Deno.statSync(path).size / 1024)} KB\n`);
}

async function takeAll(scene: BrowserScene, adminUrl: string): Promise<void> {
  const look = async (name: string, path: string, dark = false, viewport = WIDE) => {
    await using tab = await scene.open({ colorScheme: dark ? "dark" : "light", viewport });
    await tab.page.goto(adminUrl + path);
    await tab.page.locator("[aria-busy=true]").waitFor({ state: "detached" });
    await pause(2500);
    await save(tab.page, name);
  };
  await look("page-now", "/");
  await look("page-now-phone", "/", true, PHONE);
  await look("page-partitions", "/page/partitions", true);
  await look("page-pool", "/page/pool");
  await look("page-tickets", "/page/tickets");
  await look("page-dead-letters", "/page/dead-letters", true);
  scene.mood.broken = true;
  await pause(12_000);
  await look("page-held-up", "/");
  scene.mood.broken = false;
}

async function main(): Promise<void> {
  await using scene = await BrowserScene.start();
  const { topic } = scene.scene;
  await scene.kafka.make(`${topic}.${GROUP}.dlq`, `${topic}.${GROUP}.retry`);
  const consumer = scene.consumer({ KAFKA_GROUP_ID: GROUP });
  await consumer.untilReady();
  await scene.scene.produce(Array.from({ length: 12 }, (_, at) => `bad ${at}`));
  scene.load();
  await pause(BEFORE_MS);
  await Deno.mkdir(FOLDER, { recursive: true });
  await takeAll(scene, consumer.adminUrl);
  await takeReview(scene);
}

/** The worker's page, with tickets in memory. */
async function takeReview(scene: BrowserScene): Promise<void> {
  const { app } = await reviewableWorker(12);
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, app.fetch);
  for (const [id, category] of [["3", "billing"], ["4", "bug"]] as const) {
    await app.request(`/tickets/${id}/label`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ category, by: "Ada" }),
    });
  }
  await using tab = await scene.open({ viewport: WIDE });
  await tab.page.goto(`http://127.0.0.1:${server.addr.port}/review`);
  await save(tab.page, "review");
}

flagsOf("pictures", "Makes docs/pictures anew, from a consumer in a real Chromium.", {});
await main();
Deno.exit(0);
