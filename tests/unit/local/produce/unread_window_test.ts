// What may be unread in the embedded Kafka.

import assert from "node:assert/strict";
import { unread, UnreadWindow } from "../../../../local/produce/unread_window.ts";

const offsets = (...values: number[]) =>
  new Map(values.map((value, partition) => [partition, BigInt(value)]));

Deno.test("UnreadWindow holds back what does not fit until the group has committed what was sent before", () => {
  const window = new UnreadWindow(100);
  window.sent(60, offsets(3, 0));
  assert.ok(window.fits(40) && !window.fits(41));
  window.sent(40, offsets(3, 2));
  window.committed(offsets(2, 2));
  assert.equal(window.bytes, 100);
  window.committed(offsets(3, -1));
  assert.equal(window.bytes, 40);
  window.committed(offsets(3, 2));
  assert.equal(window.bytes, 0);
});

Deno.test("UnreadWindow.fits() lets through what is larger than the window once nothing else is unread", () => {
  const window = new UnreadWindow(100);
  assert.ok(window.fits(1000));
  window.sent(1000, offsets(1));
  assert.ok(!window.fits(1));
  window.committed(offsets(1));
  assert.ok(window.fits(1000));
});

Deno.test("unread() counts from the beginning where nothing is committed yet", () => {
  assert.equal(unread(offsets(5, 7, 0), offsets(-1, 7)), 5n);
});
