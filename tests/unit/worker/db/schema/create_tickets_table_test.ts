// Which names of tables look like slips.

import assert from "node:assert/strict";
import { isSlip } from "../../../../../worker/db/schema/create_tickets_table.ts";

Deno.test("isSlip() tells a slip from a name that is meant", () => {
  for (const wanted of ["tikets", "Tickets", "ticket", "ticktes", "TICKETS"]) {
    assert.equal(isSlip(wanted, "tickets"), true, wanted);
  }
  for (const wanted of ["tickets", "tickets2", "tickets_2026", "cases", "support_tickets"]) {
    assert.equal(isSlip(wanted, "tickets"), false, wanted);
  }
});
