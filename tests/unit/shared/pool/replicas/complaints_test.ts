import assert from "node:assert/strict";
import { complaintsIn } from "../../../../../shared/pool/replicas/complaints.ts";

Deno.test("complaintsIn() reads the causes of a worker of ours", async () => {
  const { readinessResponse } = await import("../../../../../shared/http/health.ts");
  const response = readinessResponse([{
    name: "budget-spent",
    sinceMs: 0,
    detail: "5 of 5 USD",
    remedy: "Wait",
  }]);
  assert.deepEqual(complaintsIn(response.status, await response.text()), [
    { name: "budget-spent", detail: "5 of 5 USD", remedy: "Wait" },
  ]);
});

Deno.test("complaintsIn() takes whatever another worker answers for no more than its status", () => {
  for (const body of ["", "no", "[]", "null", '{"causes":3}', '{"causes":[null,3,{"name":7},{"name":""}]}']) {
    assert.deepEqual(complaintsIn(503, body).map(({ name, detail }) => [name, detail]), [
      ["not-ready", "/readyz answers 503"],
    ], body);
  }
});

Deno.test("complaintsIn() keeps lines short and plain, and only a few of them", () => {
  const causes = Array.from({ length: 50 }, () => ({ name: "a\u001b[31m", detail: "x\n".repeat(1000) }));
  const complaints = complaintsIn(503, JSON.stringify({ causes }));
  assert.equal(complaints.length, 5);
  assert.equal(complaints[0]?.name, "a [31m");
  assert.equal(complaints[0]?.detail.length, 300);
  assert.ok(!complaints[0]?.detail.includes("\n"));
});
