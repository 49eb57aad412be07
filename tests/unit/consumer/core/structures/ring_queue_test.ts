import assert from "node:assert/strict";
import fc from "fast-check";
import { RingQueue } from "../../../../../consumer/core/structures/ring_queue.ts";

Deno.test("RingQueue gives back what an array would, whatever is pushed and shifted", () => {
  const steps = fc.array(fc.constantFrom("push", "push", "shift"), { maxLength: 400 });
  fc.assert(fc.property(steps, (all) => {
    const queue = new RingQueue<number>();
    const plain: number[] = [];
    for (const [item, step] of all.entries()) {
      if (step === "shift") assert.equal(queue.shift(), plain.shift());
      if (step === "push") {
        queue.push(item);
        plain.push(item);
      }
      assert.equal(queue.length, plain.length);
      assert.equal(queue.peek(), plain[0]);
    }
  }));
});

Deno.test("RingQueue.shift() is undefined when nothing waits", () => {
  assert.equal(new RingQueue<number>().shift(), undefined);
});

Deno.test("RingQueue.at() looks at what would be taken later, across the end of its ring, and takes nothing", () => {
  const queue = new RingQueue<number>();
  for (let each = 0; each < 10; each++) queue.push(each);
  for (let each = 0; each < 10; each++) queue.shift();
  for (let each = 0; each < 12; each++) queue.push(each);
  assert.deepEqual([queue.at(0), queue.at(11), queue.at(12), queue.length], [0, 11, undefined, 12]);
});
