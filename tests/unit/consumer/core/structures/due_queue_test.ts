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

Deno.test("DueQueue.clear() forgets everything", () => {
  const queue = new DueQueue<string>();
  queue.push(1, "gone");
  queue.clear();
  assert.equal(queue.nextMs, undefined);
  assert.equal(queue.takeDue(100), undefined);
});
