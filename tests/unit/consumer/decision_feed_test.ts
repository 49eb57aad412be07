import assert from "node:assert/strict";
import { DecisionFeed } from "../../../consumer/decision_feed.ts";
import type { Decision } from "../../../consumer/records/decision.ts";

const decision = (offset: number, kind: Decision["kind"] = "settled"): Decision => ({
  at: "2026-01-31T12:00:00.000Z",
  kind,
  topic: "t",
  partition: 0,
  offset,
  attempt: 1,
  last: "200",
  said: null,
  why: null,
});

Deno.test("DecisionFeed hands each reader what it wants, in order, and nothing after it has left", async () => {
  const feed = new DecisionFeed();
  assert.equal(feed.watched, false);
  const all = feed.subscribe(() => true);
  const dead = feed.subscribe(({ kind }) => kind === "dead-lettered");
  feed.publish(decision(1));
  feed.publish(decision(2, "dead-lettered"));
  await dead.arrived;
  assert.deepEqual(all.take().decisions.map(({ offset }) => offset), [1, 2]);
  assert.deepEqual(dead.take().decisions.map(({ offset }) => offset), [2]);
  assert.deepEqual(all.take(), { decisions: [], lost: 0 });
  all.close();
  dead.close();
  assert.equal(feed.watched, false);
});

Deno.test("DecisionFeed leaves out what a slow reader has no room for, and says how many", () => {
  const feed = new DecisionFeed();
  const slow = feed.subscribe(() => true);
  for (let offset = 0; offset < 1500; offset++) feed.publish(decision(offset));
  const { decisions, lost } = slow.take();
  assert.deepEqual([decisions.length, decisions.at(-1)?.offset, lost], [1000, 999, 500]);
  feed.publish(decision(2000));
  assert.deepEqual(slow.take(), { decisions: [decision(2000)], lost: 0 });
});
