// Which tests `deno task test:real` repeats.

import assert from "node:assert/strict";
import { serviceTests } from "../../support/service_tests.ts";

Deno.test("serviceTests() finds tests that reach the services through other modules, and leaves the rest", async () => {
  const { using, others } = await serviceTests(["tests/contract", "tests/integration"]);
  assert.ok(using.includes("tests/contract/postgres_store_test.ts"), using.join(" "));
  assert.ok(using.includes("tests/integration/consumer_delivery_test.ts"), using.join(" "));
  assert.ok(others.includes("tests/integration/model_server_test.ts"), others.join(" "));
  assert.ok([...using, ...others].every((path) => path.endsWith("_test.ts")));
});
