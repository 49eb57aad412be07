// Tests of a call's body: how often it can be sent, and when it is too large.

import assert from "node:assert/strict";
import { BodyTooLargeError, KEPT_BYTES_MAX, RequestBody } from "../../../../worker/ingress/request_body.ts";

const never = new AbortController().signal;

const streamOf = (...chunks: readonly Uint8Array<ArrayBuffer>[]) => ReadableStream.from(chunks);
const chunk = (bytes: number, fill = 1) => new Uint8Array(bytes).fill(fill);

async function bytesOf(body: RequestBody, signal = never): Promise<number> {
  let bytes = 0;
  for await (const each of body.read(signal)) bytes += each.length;
  return bytes;
}

Deno.test("RequestBody.read() gives the body from its beginning, as often as it is asked while it is whole", async () => {
  const body = new RequestBody(streamOf(chunk(10), chunk(20)), 1000);
  assert.deepEqual([await bytesOf(body), await bytesOf(body), body.whole, body.bytes], [30, 30, true, 30]);
});

Deno.test("RequestBody is whole up to what is kept, and lost with the first byte beyond", async () => {
  const kept = new RequestBody(streamOf(chunk(KEPT_BYTES_MAX)), 10 * KEPT_BYTES_MAX);
  assert.equal(await bytesOf(kept), KEPT_BYTES_MAX);
  assert.equal(kept.whole, true);
  const lost = new RequestBody(streamOf(chunk(KEPT_BYTES_MAX), chunk(1)), 10 * KEPT_BYTES_MAX);
  assert.equal(await bytesOf(lost), KEPT_BYTES_MAX + 1);
  assert.equal(lost.whole, false);
});

Deno.test("RequestBody.read() throws before it passes on more than it may", async () => {
  const body = new RequestBody(streamOf(chunk(60), chunk(41)), 100);
  const passedOn: number[] = [];
  await assert.rejects(async () => {
    for await (const each of body.read(never)) passedOn.push(each.length);
  }, BodyTooLargeError);
  assert.deepEqual(passedOn, [60]);
});

Deno.test("RequestBody.read() stops when nobody reads it, and loses nothing for the next try", async () => {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const body = new RequestBody(readable, 1000);
  const stop = new AbortController();
  const first = bytesOf(body, stop.signal);
  await writer.write(chunk(5));
  stop.abort();
  await first;
  const second = bytesOf(body);
  await writer.write(chunk(7));
  await writer.close();
  assert.equal(await second, 12);
});
