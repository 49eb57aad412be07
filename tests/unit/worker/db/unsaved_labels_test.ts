// Labels that wait in memory.

import assert from "node:assert/strict";
import { UnsavedLabels } from "../../../../worker/db/unsaved_labels.ts";
import { beginRequest, eventAt, finishRequest } from "../../../support/postgres/requests.ts";
import { until } from "../../../support/until.ts";

const labelFor = (id: string) => finishRequest(beginRequest(id, eventAt(1)), "bug");

Deno.test("UnsavedLabels stores the others while one cannot be stored", async () => {
  const saved: string[] = [];
  const labels = new UnsavedLabels(({ key: { ticketId } }) => {
    if (ticketId !== "1") saved.push(ticketId);
    return Promise.resolve(ticketId !== "1");
  });
  for (const id of ["1", "2", "3"]) labels.keep(labelFor(id));
  await until("the others to be stored", () => saved.length === 2);
  await labels.close();
  assert.deepEqual([saved.sort(), labels.size], [["2", "3"], 1]);
});
