// The routes for records in delivery: what they take, answer and refuse.

import assert from "node:assert/strict";
import { recordRoutes } from "../../../../consumer/admin/records.ts";
import type { RecordPosition } from "../../../../consumer/records/position.ts";

const taken: RecordPosition[] = [];
const routes = recordRoutes({
  look: ({ offset }) =>
    offset === 7
      ? { state: "waiting", attempts: 0, posts: 12, last: "403", said: "No such tenant" }
      : undefined,
  take(place) {
    if (place.offset !== 7) return Promise.resolve(undefined);
    taken.push(place);
    return Promise.resolve({ effect: "now", result: "dead-lettered" });
  },
});
const post = (path: string, body = "{}", type = "application/json") =>
  routes.request(path, { method: "POST", headers: { "content-type": type }, body });

Deno.test("GET /topic/partition/offset shows where a record is, and answers 404 where it is not held", async () => {
  const shown = await (await routes.request("/t.x/0/7")).json();
  assert.deepEqual(shown, {
    at: "t.x/0/7",
    state: "waiting",
    attempts: 0,
    posts: 12,
    last: "403",
    said: "No such tenant",
  });
  const absent = await routes.request("/t.x/0/8");
  assert.equal(absent.status, 404);
  assert.match((await absent.json()).detail, /does not hold t\.x\/0\/8/);
});

Deno.test("POST …/dead-letter takes a record out, and says what became of it", async () => {
  const done = await post("/t.x/0/7/dead-letter");
  assert.deepEqual([done.status, await done.json()], [202, {
    at: "t.x/0/7",
    effect: "now",
    result: "dead-lettered",
  }]);
  assert.deepEqual(taken, [{ topic: "t.x", partition: 0, offset: 7 }]);
  assert.equal((await post("/t.x/0/8/dead-letter")).status, 404);
});

Deno.test("POST …/dead-letter refuses what a page of another origin could send, and what it does not know", async () => {
  assert.equal((await post("/t.x/0/7/dead-letter", "{}", "text/plain")).status, 415);
  assert.equal((await post("/t.x/0/7/dead-letter", '{"why":"so"}')).status, 422);
});
