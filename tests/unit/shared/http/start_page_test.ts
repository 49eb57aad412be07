// The page at `/` of each program: its links lead somewhere, and nothing in it is markup.

import assert from "node:assert/strict";
import { Registry } from "prom-client";
import { createAdmin, createHealth } from "../../../../consumer/admin/app.ts";
import { scaleOf } from "../../../../consumer/core/scale.ts";
import { startPage } from "../../../../shared/http/start_page.ts";
import { idleIngress } from "../../../support/workers/idle_ingress.ts";
import { workerApp } from "../../../support/workers/worker_app.ts";

type Ask = (path: string) => Response | Promise<Response>;

async function pageOf(ask: Ask): Promise<string> {
  const response = await ask("/");
  assert.equal(response.status, 200);
  assert.match(response.headers.get("content-type") ?? "", /^text\/html/);
  return await response.text();
}

const linksIn = (page: string) => [...page.matchAll(/href="([^"]+)"/g)].map(([, path]) => path ?? "");

Deno.test("the page of the consumer's ports links to paths that there are", async () => {
  const deps = {
    causes: () => [],
    registry: new Registry(),
    scale: () =>
      scaleOf({ inFlight: 0, permits: 8, partitions: [] }, {
        bounds: { min: 0, max: 1, targetDrainMs: 60_000 },
        permitsPerReplica: 8,
        permitMs: 2000,
        replicas: 1,
      }, 0),
  };
  for (const app of [createHealth(deps), createAdmin(deps)]) {
    const links = linksIn(await pageOf((path) => app.request(path)));
    assert.ok(links.includes("/readyz?verbose") && links.includes("/metrics"));
    // Without Kafka there are no dead letters to ask for, and operators call it by a name of this machine.
    for (const path of links.filter((each) => !/dead-letters|parked|why|tail|flow/.test(each))) {
      assert.equal((await app.request(path)).status, 200, path);
    }
  }
});

Deno.test("the page of a worker links to paths that there are", async () => {
  const { app } = workerApp();
  const links = linksIn(await pageOf((path) => app.request(path)));
  assert.ok(links.includes("/docs") && links.includes("/review"));
  for (const path of links) assert.notEqual((await app.request(path)).status, 404, path);
});

Deno.test("the page of the ingress is its own: no replica is asked", async () => {
  const app = idleIngress({ WORKER_URL: "http://127.0.0.1:1" });
  const page = await pageOf((path) => app.request(path));
  assert.ok(linksIn(page).includes("/docs"));
  assert.match(page, /POST \/classify/);
});

Deno.test("startPage() links to what can be opened, and shows everything else as text", async () => {
  const entries = [["GET /a", "one"], ["GET /b/{id}", "two"], ["PUT /c", '"three"']] as const;
  const page = await startPage("A <b>", "x & y", entries).text();
  assert.deepEqual(linksIn(page), ["/a"]);
  assert.ok(page.includes("A &#60;b&#62;") && page.includes("x &#38; y") && page.includes("GET /b/{id}"));
});
