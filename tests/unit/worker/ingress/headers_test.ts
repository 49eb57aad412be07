// Tests of which header fields go through.

import assert from "node:assert/strict";
import { answerHeaders, requestHeaders } from "../../../../worker/ingress/headers.ts";

const TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

Deno.test("requestHeaders() drops what is for one connection, what Connection names too, and says the deadline", () => {
  const headers = new Headers({
    "authorization": "Bearer mine",
    "connection": "keep-alive, X-Mine",
    "x-mine": "1",
    "transfer-encoding": "chunked",
    "content-length": "7",
    "traceparent": TRACEPARENT,
  });
  assert.deepEqual(requestHeaders(headers, 5000), {
    "authorization": "Bearer mine",
    "traceparent": TRACEPARENT,
    "ackpool-deadline": "5000",
  });
});

Deno.test("requestHeaders() says which host was asked for, whatever a caller claims", () => {
  const headers = new Headers({ host: "labels.example", "x-forwarded-host": "evil.example" });
  assert.equal(requestHeaders(headers, 1)["x-forwarded-host"], "labels.example");
});

Deno.test("requestHeaders() lets nobody say what only the consumer knows of a record", () => {
  const forged = [
    ["idempotency-key", '"support-tickets/0/7"'],
    ["idempotency-key", '"t/0/9223372036854775807"'],
    ["idempotency-key", '"t/9999999999/99999999999999999999"'],
    ["idempotency-key", '  "t/0/7" '],
    ["ackpool-timestamp", "999999999999999"],
    ["Ackpool-Attempt", "7"],
    ["ackpool-tombstone", "true"],
    ["ackpool-origin-topic", "t"],
    ["traceparent", "00-1-2-01"],
    ["traceparent", "x\ty"],
  ] as const;
  for (const [name, value] of forged) {
    const headers = requestHeaders(new Headers({ [name]: value }), 1);
    assert.deepEqual(headers, { "ackpool-deadline": "1" }, `${name}: ${value}`);
  }
  const own = requestHeaders(new Headers({ "idempotency-key": '"my order 7"' }), 1);
  assert.equal(own["idempotency-key"], '"my order 7"');
});

Deno.test("answerHeaders() keeps a field that came twice, and the length", () => {
  const kept = answerHeaders(
    { "set-cookie": ["a=1", "b=2"], "content-length": "3", "keep-alive": "timeout=5", "x-a": undefined },
    { ratelimit: '"client";r=1;t=1' },
  );
  assert.deepEqual(kept.getSetCookie(), ["a=1", "b=2"]);
  assert.deepEqual([kept.get("content-length"), kept.has("keep-alive"), kept.get("ratelimit")], [
    "3",
    false,
    '"client";r=1;t=1',
  ]);
});

Deno.test("answerHeaders() keeps what the provider says of our account from callers", () => {
  const kept = answerHeaders(
    { "x-ratelimit-remaining-requests": "3", "ratelimit": '"default";r=3;t=1', "x-b": "2" },
    {},
  );
  assert.deepEqual([...kept], [["x-b", "2"]]);
});
