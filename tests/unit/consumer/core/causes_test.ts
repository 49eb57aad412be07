import assert from "node:assert/strict";
import { causesOf } from "../../../../consumer/core/causes.ts";
import { Driver, recordAt, status } from "./fixtures.ts";

Deno.test("causesOf() has nothing to say of a healthy machine", () => {
  assert.deepEqual(causesOf(new Driver().assign({}).machine.view), []);
});

Deno.test("causesOf() names a misconfiguration with the status and what to do", () => {
  const driver = new Driver().assign({}).receive([recordAt(0)]);
  driver.finish(0, status(401));
  driver.feed({ type: "readiness_checked", ready: false });
  const [cause] = causesOf(driver.machine.view);
  assert.equal(cause?.name, "misconfigured");
  assert.equal(cause?.sinceMs, driver.nowMs);
  assert.match(cause?.detail ?? "", /401/);
  assert.match(cause?.remedy ?? "", /WORKER_TOKEN/);
});

Deno.test("causesOf() says what the worker said: it knows better what is wrong", () => {
  const driver = new Driver().assign({}).receive([recordAt(0)]);
  const excerpt = JSON.stringify({
    type: "/problems/no-such-model",
    detail: "The provider has no model gpt-x",
  });
  driver.finish(0, { kind: "answer", status: 403, problemType: "/problems/no-such-model", excerpt });
  driver.feed({ type: "readiness_checked", ready: false });
  const [cause] = causesOf(driver.machine.view);
  assert.match(cause?.detail ?? "", /403 \(\/problems\/no-such-model: The provider has no model gpt-x\)$/);
});

Deno.test("causesOf() names an outage with the last failure", () => {
  const driver = new Driver().assign({}).receive([recordAt(0)]);
  driver.finish(0, { kind: "refused", detail: "ECONNREFUSED" });
  driver.feed({ type: "readiness_checked", ready: false });
  const [cause] = causesOf(driver.machine.view);
  assert.equal(cause?.name, "outage");
  assert.match(cause?.detail ?? "", /refused \(ECONNREFUSED\)/);
});

Deno.test("causesOf() says since when commits are refused, until one is confirmed", () => {
  const driver = new Driver().assign({}).receive([recordAt(0)]);
  driver.finish(0, status(200));
  driver.nowMs += 10;
  driver.answerCommit(false);
  const [cause] = causesOf(driver.machine.view);
  assert.deepEqual([cause?.name, cause?.sinceMs], ["commit-refused", driver.nowMs]);
  driver.pass(500);
  driver.answerCommit(true);
  assert.deepEqual(causesOf(driver.machine.view), []);
});

Deno.test("causesOf() says which replica said so, and what it says is to be done", () => {
  const driver = new Driver().assign({}).receive([recordAt(0)]);
  const excerpt = JSON.stringify({ detail: "no model gpt-x", remedy: "Set OPENAI_MODEL" });
  driver.finish(0, { kind: "answer", status: 403, excerpt, replica: "http://10.0.0.7:8000" });
  driver.feed({ type: "readiness_checked", ready: false });
  const [cause] = causesOf(driver.machine.view);
  assert.equal(
    cause?.detail,
    "The workers refuse the way they are called: the last attempt came to 403 (no model gpt-x) from http://10.0.0.7:8000",
  );
  assert.equal(cause?.remedy, "Set OPENAI_MODEL");
});

Deno.test("causesOf() names what most records of a flood failed with, and the command that lets them through", () => {
  const driver = new Driver({ deadLetters: { burst: 0, share: 0 } }).assign({});
  driver.receive(Array.from({ length: 8 }, (_, offset) => recordAt(offset)));
  const tooShort = { kind: "answer", status: 422, problemType: "/problems/too-short" } as const;
  for (let offset = 0; offset < 8; offset++) driver.finish(offset, offset === 2 ? status(400) : tooShort);
  const cause = causesOf(driver.machine.view).find(({ name }) => name === "dead-letter-flood");
  assert.match(cause?.detail ?? "", /^8 records .*\. 7 of them came to 422 \(\/problems\/too-short\)$/);
  assert.match(cause?.remedy ?? "", /deno task dlq allow 8/);
});
