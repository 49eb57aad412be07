import assert from "node:assert/strict";
import { causesOf } from "../../../../consumer/core/causes.ts";
import { Driver, recordAt, status } from "./fixtures.ts";

Deno.test("causesOf() has nothing to say of a healthy machine", () => {
  assert.deepEqual(causesOf(new Driver().assign({}).machine.view), []);
});

Deno.test("causesOf() names a misconfiguration with the status and what to do", () => {
  const driver = new Driver().assign({}).receive([recordAt(0)]);
  driver.finish(0, status(401));
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
