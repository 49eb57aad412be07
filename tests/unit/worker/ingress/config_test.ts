// Tests of what the environment may say to an ingress.

import assert from "node:assert/strict";
import { ConfigError } from "../../../../shared/config/read.ts";
import { parseIngressConfig } from "../../../../worker/ingress/config.ts";

const parse = (env: Readonly<Record<string, string>>) => parseIngressConfig((name) => env[name]);

Deno.test("parseIngressConfig() needs WORKER_URL alone", () => {
  const { port, rules } = parse({ WORKER_URL: "http://worker:8000" });
  assert.equal(port, 8000);
  assert.deepEqual(rules.queue, { placesMax: 100, patienceMs: 5000, wakeMs: 30_000 });
  assert.deepEqual([rules.tokens, rules.ratePerMinute, rules.proxies], [[], 6000, 0]);
});

Deno.test("parseIngressConfig() takes several tokens, and waits for a replica no shorter than for a free one", () => {
  const { rules } = parse({
    WORKER_URL: "http://worker:8000",
    WORKER_TOKEN: "new, old",
    INGRESS_PATIENCE_MS: "2000",
    INGRESS_WAKE_MS: "0",
  });
  assert.deepEqual([rules.tokens.map(({ token }) => token), rules.queue.wakeMs], [["new", "old"], 2000]);
});

Deno.test("parseIngressConfig() names every problem at once and shows no token", () => {
  assert.throws(
    () => parse({ WORKER_TOKEN: "s3cret", INGRESS_QUEUE: "x", INGRESS_PROXIES: "-1" }),
    (error) => {
      assert.ok(error instanceof ConfigError);
      assert.deepEqual(error.problems.map((problem) => problem.split(" ")[0]), [
        "WORKER_URL",
        "INGRESS_QUEUE",
        "INGRESS_PROXIES",
      ]);
      assert.ok(!error.message.includes("s3cret"));
      return true;
    },
  );
});
