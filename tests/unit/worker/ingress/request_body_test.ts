// Tests of a call's body: whole or refused, and never more of all of them than there is room for.

import assert from "node:assert/strict";
import { RequestBodies } from "../../../../worker/ingress/request_body.ts";

const chunk = (bytes: number, fill = 1) => new Uint8Array(bytes).fill(fill);

function post(...chunks: readonly Uint8Array<ArrayBuffer>[]): Request {
  return new Request("http://ingress/classify", { method: "POST", body: ReadableStream.from(chunks) });
}

Deno.test("RequestBodies.receive() gives a body whole, however many pieces it came in", async () => {
  const bodies = new RequestBodies(1000);
  const received = await bodies.receive(post(chunk(10, 1), chunk(20, 2)));
  assert.ok(received.kind === "body" && received.body !== null);
  assert.deepEqual([...received.body], [...chunk(10, 1), ...chunk(20, 2)]);
  assert.equal(bodies.held, 30);
  bodies.release(received.body);
  assert.equal(bodies.held, 0);
});

Deno.test("RequestBodies.receive() refuses what is larger than is taken, stated or not, and holds none of it", async () => {
  const bodies = new RequestBodies(100);
  assert.deepEqual(await bodies.receive(post(chunk(60), chunk(41))), { kind: "too_large" });
  assert.equal((await bodies.receive(post(chunk(60), chunk(40)))).kind, "body");
  assert.equal(bodies.held, 100);
});

Deno.test("RequestBodies.receive() refuses a body that there is no room for beside the others", async () => {
  const bodies = new RequestBodies(100, 150);
  const first = await bodies.receive(post(chunk(100)));
  assert.deepEqual(await bodies.receive(post(chunk(51))), { kind: "no_room" });
  assert.equal((await bodies.receive(post(chunk(50)))).kind, "body");
  bodies.release(first.kind === "body" ? first.body : null);
  assert.equal((await bodies.receive(post(chunk(100)))).kind, "body");
  assert.equal(bodies.held, 150);
});

Deno.test("RequestBodies.receive() tells a caller that went away from one that is slow", async () => {
  const bodies = new RequestBodies(100);
  const broken = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start: (controller) => controller.enqueue(chunk(5)),
    pull: (controller) => controller.error(new Error("connection reset")),
  });
  const request = new Request("http://ingress/", { method: "POST", body: broken });
  assert.deepEqual(await bodies.receive(request), { kind: "cut_off" });
  assert.equal(bodies.held, 0);
});
