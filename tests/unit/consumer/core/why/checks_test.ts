import assert from "node:assert/strict";
import { CHECK_NAMES, checksOf } from "../../../../../consumer/core/why/checks.ts";
import type { WhyFacts } from "../../../../../consumer/core/why/facts.ts";
import { factsWith, NOW_MS, partitionOf } from "./fixtures.ts";

const check = (facts: WhyFacts, name: typeof CHECK_NAMES[number]) =>
  checksOf(facts).find((each) => each.name === name);

Deno.test("checksOf() asks eleven questions in order, and all is well of a healthy consumer", () => {
  const checks = checksOf(factsWith({ rates: { arrivedPerSecond: 1, settledPerSecond: 1, overMs: 60_000 } }));
  assert.deepEqual(checks.map(({ name }) => name), CHECK_NAMES);
  assert.equal(checks.length, 11);
  assert.deepEqual(checks.filter(({ state }) => state !== "ok"), []);
});

Deno.test("checksOf() puts each cause where it belongs, with its detail", () => {
  const places = {
    "kafka-unavailable": "kafka",
    "joining": "member",
    "partitions-unreadable": "spread",
    "commit-refused": "rebalance",
    "no-replica": "pool",
    "rate-limited": "provider",
    "stalled-head": "head",
    "dead-letter-flood": "dead-letters",
    "misconfigured": "workers",
    "a-cause-of-tomorrow": "flow",
  } as const;
  for (const [name, place] of Object.entries(places)) {
    const causes = [{ name, sinceMs: NOW_MS, detail: "what is wrong", remedy: "" }];
    const { state, text } = check(factsWith({ causes }), place) ?? {};
    assert.deepEqual([state, text], ["trouble", `${name}: what is wrong`]);
  }
});

Deno.test("checksOf() does not tell what follows from Kafka being away as troubles of its own", () => {
  const causes = [{ name: "kafka-unavailable", sinceMs: NOW_MS, detail: "", remedy: "" }];
  const facts = factsWith({ causes }, { partitions: [] });
  assert.deepEqual(["member", "partitions"].map((name) => check(facts, name as "member")?.state), [
    "unknown",
    "unknown",
  ]);
});

Deno.test("checksOf() says which partition has most to do", () => {
  const facts = factsWith({}, { partitions: [partitionOf(0, 3), partitionOf(1, 5000), partitionOf(2)] });
  assert.equal(
    check(facts, "spread")?.text,
    "2 of 3 have records to do, most of them tickets/1 with 5,000",
  );
});

Deno.test("checksOf() is in trouble where less is settled than arrives, not where a backlog is worked off", () => {
  const behind = { partitions: [partitionOf(0, 900)] };
  const at = (arrivedPerSecond: number, settledPerSecond: number) =>
    check(factsWith({ rates: { arrivedPerSecond, settledPerSecond, overMs: 60_000 } }, behind), "flow")
      ?.state;
  assert.deepEqual([at(50, 20), at(20, 50), at(20, 20)], ["trouble", "ok", "ok"]);
});

Deno.test("checksOf() says what a worker says of database and model, and which one", () => {
  const complaints = [{ name: "database-unreachable", detail: "connection refused", remedy: "" }];
  const [replica] = factsWith().replicas;
  assert.ok(replica);
  const facts = factsWith({
    replicas: [replica, { ...replica, address: "http://10.0.0.2:8000", complaints }],
  });
  const { state, text } = check(facts, "workers") ?? {};
  assert.equal(state, "trouble");
  assert.equal(text, "1 of 2 say no: http://10.0.0.2:8000 says database-unreachable: connection refused");
});

Deno.test("checksOf() says for how long the provider wants to be left alone", () => {
  const facts = factsWith({ provider: { restUntilMs: NOW_MS + 30_000, ratePerSecond: 2 } });
  const { state, text } = check(facts, "provider") ?? {};
  assert.deepEqual([state, text], [
    "trouble",
    "It wants to be left alone for another 30 s; at most 2.0 attempts a second",
  ]);
});
