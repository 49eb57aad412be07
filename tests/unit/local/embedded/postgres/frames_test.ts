// The protocol of the embedded Postgres.

import assert from "node:assert/strict";
import { withoutCopyFromStdin } from "../../../../../local/embedded/postgres/copy_refusal.ts";
import {
  FrameReader,
  joined,
  message,
  readyStatus,
  startupParameter,
} from "../../../../../local/embedded/postgres/frames.ts";
import { SessionLock } from "../../../../../local/embedded/postgres/session_lock.ts";

const text = (value: string) => new TextEncoder().encode(value);
const int32 = (...values: number[]) => {
  const bytes = new Uint8Array(values.length * 4);
  values.forEach((value, at) => new DataView(bytes.buffer).setInt32(at * 4, value));
  return bytes;
};
const STARTUP = joined([int32(13, 196608), text("user\0")]);

Deno.test("FrameReader cuts the same messages out of any chunks", () => {
  const stream = joined([
    int32(8, 80877103),
    STARTUP,
    message("P", text("\0select 1\0\0\0")),
    message("S", text("")),
  ]);
  for (const size of [1, 2, 7, stream.length]) {
    const frames = new FrameReader();
    const kinds: string[] = [];
    for (let at = 0; at < stream.length; at += size) {
      for (const frame of frames.push(stream.slice(at, at + size))) {
        kinds.push(frame.kind === "message" ? frame.type : frame.kind);
      }
    }
    assert.deepEqual(kinds, ["encryption_request", "startup", "P", "S"], `in chunks of ${size}`);
  }
});

Deno.test("FrameReader refuses lengths that cannot be", () => {
  assert.throws(
    () => [...new FrameReader().push(text("GET / HTTP/1.1\r\n"))],
    /Message length is not possible/,
  );
  assert.throws(() => [...new FrameReader().push(int32(3, 0))], RangeError);
});

Deno.test("readyStatus() is the transaction's state at the end of an answer", () => {
  const ready = (status: string) => message("Z", text(status));
  assert.equal(readyStatus(joined([message("C", text("BEGIN\0")), ready("T")])), "T");
  assert.equal(readyStatus(ready("I")), "I");
  assert.equal(readyStatus(message("1", text(""))), undefined);
  assert.equal(readyStatus(new Uint8Array(0)), undefined);
});

Deno.test("withoutCopyFromStdin() replaces copies from the client and nothing else", () => {
  const query = (sql: string) => message("Q", text(`${sql}\0`));
  const parse = (sql: string) => message("P", text(`name\0${sql}\0\0\0`));
  const kept = [
    query("select 'copy'"),
    query("copy t to stdout"),
    parse("select 1"),
    message("B", text("copy t from stdin")),
  ];
  for (const bytes of kept) {
    assert.equal(withoutCopyFromStdin(String.fromCharCode(bytes[0] ?? 0), bytes), bytes);
  }
  for (
    const [type, bytes] of [["Q", query("COPY t (a)\nFROM STDIN")], [
      "P",
      parse("copy t from stdin"),
    ]] as const
  ) {
    const replaced = new TextDecoder().decode(withoutCopyFromStdin(type, bytes));
    assert.ok(replaced.startsWith(type) && replaced.includes("raise exception"));
  }
});

Deno.test("SessionLock gives the turn to one at a time, in the order they asked", async () => {
  const lock = new SessionLock();
  const order: number[] = [];
  const first = await lock.take();
  const second = lock.take().then((release) => {
    order.push(2);
    release();
  });
  const third = lock.take().then(() => order.push(3));
  order.push(1);
  first();
  await Promise.all([second, third]);
  assert.deepEqual(order, [1, 2, 3]);
});

Deno.test("SessionLock knows whether anybody waits", async () => {
  const lock = new SessionLock();
  const release = await lock.take();
  assert.equal(lock.isAwaited, false);
  const next = lock.take();
  assert.equal(lock.isAwaited, true);
  release();
  await next;
  assert.equal(lock.isAwaited, false);
});

Deno.test("startupParameter() reads a client's name, and no value for a name", () => {
  const strings = new TextEncoder().encode("user\0application_name\0application_name\0psql\0\0");
  const bytes = new Uint8Array([0, 0, 0, 8 + strings.length, 0, 3, 0, 0, ...strings]);
  assert.equal(startupParameter(bytes, "application_name"), "psql");
  assert.equal(startupParameter(bytes, "database"), undefined);
});
