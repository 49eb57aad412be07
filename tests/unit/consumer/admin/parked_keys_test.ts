// Which parked keys are shown, and how.

import assert from "node:assert/strict";
import { parkedRoutes } from "../../../../consumer/admin/parked_keys.ts";
import { type MachineView, parkedKeys } from "../../../../consumer/core/view.ts";
import type { ParkedKey } from "../../../../consumer/core/parking/letters.ts";
import { Driver } from "../core/fixtures.ts";

const key = (key: string, at: string, changes: Partial<ParkedKey> = {}): ParkedKey => ({
  key,
  at,
  open: 2,
  returning: 0,
  first: 7,
  ...changes,
});
function view(): MachineView {
  const driver = new Driver().assign({}, { topic: "t.retry" });
  const known = [
    [key("a", "t/0"), key("\xff", "t/0", { open: 0, returning: 1, first: undefined })],
    [key("a", "t/0")],
  ];
  const { view } = driver.machine;
  return {
    ...view,
    partitions: view.partitions.map((each, index) => ({ ...each, parkedKeys: known[index] ?? [] })),
  };
}

Deno.test("parkedKeys() counts a key where its records are read, and not again at the retry topic", () => {
  assert.deepEqual([...parkedKeys(view())].map(({ key }) => key), ["a", "\xff"]);
});

Deno.test("GET / shows what each key waits for, up to a limit", async () => {
  const routes = parkedRoutes(view);
  assert.deepEqual(await (await routes.request("/")).json(), {
    total: 2,
    keys: [
      { key: "a", at: "t/0", state: "parked", behind: 7, letters: 2, returning: 0 },
      { key: "base64:/w==", at: "t/0", state: "returning", behind: null, letters: 0, returning: 1 },
    ],
  });
  assert.equal((await (await routes.request("/?limit=1")).json()).keys.length, 1);
  assert.equal((await routes.request("/?limit=many")).status, 422);
});
