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
