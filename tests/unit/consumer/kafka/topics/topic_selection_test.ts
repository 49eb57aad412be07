import assert from "node:assert/strict";
import {
  describeTopics,
  parseTopics,
  selectTopics,
} from "../../../../../consumer/kafka/topics/topic_selection.ts";

const SIDES = { groupId: "g", deadLetterTopic: undefined, retryTopic: undefined };

/** What is selected of what is there. */
const select = (text: string, existing: readonly string[], sides = {}) =>
  selectTopics(parseTopics(text), existing, { ...SIDES, ...sides });

Deno.test("parseTopics() reads names and patterns side by side", () => {
  const { names, patterns, problems } = parseTopics("a, /^b-\\d{1,3}$/,c.d , /x\\/y,z/");
  assert.deepEqual(names, ["a", "c.d"]);
  assert.deepEqual(patterns.map(String), ["/^b-\\d{1,3}$/", "/x\\/y,z/"]);
  assert.deepEqual(problems, []);
  assert.equal(describeTopics({ names, patterns }), "a, c.d, /^b-\\d{1,3}$/, /x\\/y,z/");
});

Deno.test("parseTopics() says what is wrong with each element", () => {
  assert.deepEqual(parseTopics("a,,b c,/(/,/open").problems, [
    'has a name that Kafka does not take: ""',
    'has a name that Kafka does not take: "b c"',
    "has a pattern that is none: Invalid regular expression: /(/: Unterminated group",
    'has a name that Kafka does not take: "/open"',
  ]);
  assert.equal(parseTopics("").problems.length, 0);
  assert.deepEqual(parseTopics("a,").names, ["a"]);
});

Deno.test("selectTopics() finds names and what patterns match, each once, and tells the names that are missing", () => {
  const there = ["tickets-eu", "tickets-us", "other", "old-tickets"];
  assert.deepEqual(select("other,gone,/^tickets-/,/-us$/", there), {
    found: ["other", "tickets-eu", "tickets-us"],
    missing: ["gone"],
  });
  assert.deepEqual(select("/tickets/", there).found, ["old-tickets", "tickets-eu", "tickets-us"]);
  assert.deepEqual(select("/nothing/", there), { found: [], missing: [] });
});

Deno.test("selectTopics() matches no side topic of its own group, also when the source is gone", () => {
  const there = ["t", "t.g.dlq", "t.g.retry", "gone.g.dlq", "my-dead", "my-retries"];
  assert.deepEqual(select("/./", there, { deadLetterTopic: "my-dead", retryTopic: "my-retries" }).found, [
    "t",
  ]);
});

Deno.test("selectTopics() matches no side topic of another group, but topics that only end like one", () => {
  const there = [
    "a.b",
    "a.b.other.group.dlq",
    "a.b.other.retry",
    "plain.dlq",
    "x.y.retry",
    "__consumer_offsets",
  ];
  assert.deepEqual(select("/./", there).found, ["a.b", "plain.dlq", "x.y.retry"]);
});

Deno.test("selectTopics() takes a side topic that is called by its name", () => {
  assert.deepEqual(select("t.other.dlq,/t/", ["t", "t.other.dlq"]).found, ["t.other.dlq", "t"]);
});
