// What a classification waited for.

import assert from "node:assert/strict";
import { Waits } from "../../../../worker/labelling/waits.ts";
import type { ClassificationDeps } from "../../../../worker/labelling/classify.ts";

Deno.test("Waits add up what the model and the database took, failures included", async () => {
  let nowMs = 0;
  const taking = <T>(ms: number, result: T) => () => {
    nowMs += ms;
    return Promise.resolve(result);
  };
  const deps = {
    labeller: { labelVersion: "v", label: taking(700, { kind: "unusable" }) },
    store: {
      begin: taking(3, { kind: "not_found" }),
      finish: () => {
        nowMs += 5;
        return Promise.reject(new Error("away"));
      },
      release: taking(2, undefined),
      check: taking(1000, undefined),
    },
  } as unknown as ClassificationDeps;
  const waits = new Waits(() => nowMs);
  const { labeller, store } = waits.measuring(deps);
  await store.begin({} as never);
  await labeller.label({ subject: "s", body: "b" }, undefined);
  await assert.rejects(store.finish({} as never), /away/);
  await store.release({} as never);
  await store.check();
  assert.deepEqual([labeller.labelVersion, waits.llmMs, waits.databaseMs], ["v", 700, 10]);
});
