// Ports: which are taken, and which are kept from one start to the next.

import assert from "node:assert/strict";
import { keptPorts } from "../../../../local/processes/ports.ts";
import { TemporaryFolder } from "../../../support/temporary_folder.ts";

Deno.test("keptPorts() gives the same ports again, and another for one that is taken", async () => {
  await using folder = await TemporaryFolder.make("ackpool-ports-");
  const file = `${folder.path}/new/ports.json`;
  const [first = 0, second = 0] = await keptPorts(file, 2);
  assert.deepEqual(await keptPorts(file, 2), [first, second]);
  using _other = Deno.listen({ hostname: "0.0.0.0", port: first });
  const [moved, same] = await keptPorts(file, 2);
  assert.notEqual(moved, first);
  assert.equal(same, second);
});

Deno.test("keptPorts() does without a file that it cannot read", async () => {
  await using folder = await TemporaryFolder.make("ackpool-ports-");
  const file = `${folder.path}/ports.json`;
  for (const text of ["nonsense", '{"a":1}', "[-1, 70000]", '["x"]']) {
    await Deno.writeTextFile(file, text);
    assert.equal(new Set(await keptPorts(file, 2)).size, 2);
  }
});
