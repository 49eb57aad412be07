import assert from "node:assert/strict";
import { tailRoutes } from "../../../../consumer/admin/tail.ts";
import { EventLines } from "../../../../consumer/cli/live/tail_text.ts";
import { DecisionFeed } from "../../../../consumer/decision_feed.ts";
import type { Decision } from "../../../../consumer/records/decision.ts";
import { until } from "../../../support/until.ts";

const decision = (partition: number, kind: Decision["kind"], last: string): Decision => ({
  at: "2026-01-31T12:00:00.000Z",
  kind,
  topic: "t",
  partition,
  offset: 7,
  attempt: 1,
  last,
  said: null,
  why: null,
});

async function scene() {
  const feed = new DecisionFeed();
  const closing = new AbortController();
  const app = tailRoutes({ subscribe: (wants) => feed.subscribe(wants), closing: closing.signal });
  const read = async (query: string) => {
    const response = await app.request(`/?${query}`);
    await until("a reader", () => feed.watched);
    return response;
  };
  return await Promise.resolve({ feed, closing, app, read });
}

Deno.test("GET / streams the decisions that are asked for, and ends when the consumer does", async () => {
  const { feed, closing, read } = await scene();
  const response = await read("kind=retrying,dead-lettered&partition=3&status=503,422");
  assert.equal(response.headers.get("content-type"), "text/event-stream");
  const wanted = [decision(3, "retrying", "503"), decision(3, "dead-lettered", "422")];
  feed.publish(decision(3, "settled", "503"));
  feed.publish(decision(2, "retrying", "503"));
  feed.publish(decision(3, "retrying", "timeout"));
  wanted.forEach((each) => feed.publish(each));
  setTimeout(() => closing.abort(), 50);
  const events = new EventLines().add(await response.text());
  const seen = events.filter(({ event }) => event === "decision").map(({ data }) => JSON.parse(data));
  assert.deepEqual(seen, wanted);
  assert.equal(feed.watched, false);
});

Deno.test("GET / refuses what it does not know", async () => {
  const { app, feed } = await scene();
  for (const query of ["kind=lost", "partition=x", "nonsense=1"]) {
    assert.equal((await app.request(`/?${query}`)).status, 422, query);
  }
  assert.equal(feed.watched, false);
});
