import assert from "node:assert/strict";
import fc from "fast-check";
import { DueQueue } from "../../../../../consumer/core/structures/due_queue.ts";

Deno.test("DueQueue gives items in the order they are due, and equal ones in the order they came", () => {
  fc.assert(fc.property(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 200 }), (times) => {
    const queue = new DueQueue<number>();
    times.forEach((dueMs, index) => queue.push(dueMs, index));
    const expected = times.map((dueMs, index) => ({ dueMs, index })).sort((a, b) =>
      a.dueMs - b.dueMs || a.index - b.index
    );
    assert.deepEqual(times.map(() => queue.takeDue(20)), expected.map(({ index }) => index));
    assert.equal(queue.length, 0);
  }));
});

Deno.test("DueQueue.takeDue() keeps what is not due yet", () => {
  const queue = new DueQueue<string>();
  queue.push(10, "later");
  queue.push(5, "sooner");
  assert.equal(queue.nextMs, 5);
  assert.equal(queue.takeDue(4), undefined);
  assert.equal(queue.takeDue(5), "sooner");
  assert.equal(queue.takeDue(9), undefined);
  assert.equal(queue.nextMs, 10);
});

Deno.test("DueQueue.retain() lets the others go at once and keeps the order of those that stay", () => {
  fc.assert(fc.property(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 200 }), (times) => {
    const [queue, expected] = [new DueQueue<number>(), new DueQueue<number>()];
    times.forEach((dueMs, index) => {
      queue.push(dueMs, index);
      if (index % 3 === 0) expected.push(dueMs, index);
    });
    queue.retain((index) => index % 3 === 0);
    assert.equal(queue.length, expected.length);
    assert.deepEqual(times.map(() => queue.takeDue(20)), times.map(() => expected.takeDue(20)));
  }));
});
