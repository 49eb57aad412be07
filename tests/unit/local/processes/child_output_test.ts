// What children say, as start reads it.

import assert from "node:assert/strict";
import { parseChildLine, readable } from "../../../../local/processes/child_output.ts";
import { addressIn, isOwnClient } from "../../../../local/embedded/kafka/launch.ts";
import { labelIn, listeningPort } from "../../../../local/start/commands.ts";

const record = (message: string, properties: object, level = "INFO") =>
  JSON.stringify({
    "@timestamp": "2026-01-01T00:00:00Z",
    level,
    message,
    logger: "ackpool.worker",
    ...properties,
  });

Deno.test("parseChildLine() reads our structured lines and leaves their frame out", () => {
  assert.deepEqual(parseChildLine(record("listening", { port: 8000 }, "WARN")), {
    kind: "event",
    level: "warning",
    message: "listening",
    properties: { port: 8000 },
  });
});

Deno.test("parseChildLine() takes what is not one of our lines for text", () => {
  for (
    const text of ["Uncaught Error", "{", "[1]", "{}", '{"level":"LOUD","message":"x"}', '{"level":"INFO"}']
  ) {
    assert.deepEqual(parseChildLine(text), { kind: "text", text });
  }
});

Deno.test("addressIn() finds the embedded broker's address in librdkafka's own line", () => {
  const message =
    "librdkafka: MOCK [thrd:app]: Mock cluster enabled: original bootstrap.servers and security.protocol ignored and replaced with 127.0.0.1:35119";
  const line = parseChildLine(JSON.stringify({ level: "INFO", fields: { message }, target: "librdkafka" }));
  assert.equal(addressIn(line), "127.0.0.1:35119");
  assert.equal(addressIn(parseChildLine(record("listening", { port: 1 }))), undefined);
});

Deno.test("isOwnClient() is what librdkafka says without a network about a client that nobody uses", () => {
  const line = (level: string, message: string) =>
    parseChildLine(JSON.stringify({ level, fields: { message } }));
  const unresolved =
    "librdkafka: FAIL [thrd:127.0.0.1:1/bootstrap]: 127.0.0.1:1/bootstrap: Failed to resolve '127.0.0.1:1': Name or service not known";
  assert.equal(isOwnClient(line("ERROR", unresolved)), true);
  assert.equal(isOwnClient(line("ERROR", "librdkafka: the cluster is gone")), false);
});

Deno.test("listeningPort() is the port of a part that is up", () => {
  assert.equal(listeningPort(parseChildLine(record("listening", { port: 8123 }))), 8123);
  assert.equal(listeningPort(parseChildLine(record("classified", { port: 8123 }))), undefined);
});

Deno.test("labelIn() tells a label that was written, and no other", () => {
  const label = (properties: object) => labelIn(parseChildLine(record("classified", properties)));
  const written = { ticketId: "17", category: "billing", confidence: 0.97 };
  assert.deepEqual(label({ ticket_id: 17, category: "billing", confidence: 0.97 }), written);
  assert.deepEqual(label({ ticket_id: 17, category: "billing" }), { ...written, confidence: undefined });
  assert.equal(label({ category: "billing" }), undefined);
  assert.equal(labelIn(parseChildLine(record("stale", { ticket_id: 17, category: "bug" }))), undefined);
});

Deno.test("readable() shows an event with its properties in one line", () => {
  const line = parseChildLine(record("paused", { causes: ["outage"], detail: "502", none: null }));
  assert.equal(readable(line), 'paused (causes ["outage"], detail 502)');
});

Deno.test("readable() tells a cause in sentences, and that delivery goes on", () => {
  const cause = { cause: "misconfigured", detail: "403 (no model gpt-x)", remedy: "Set OPENAI_MODEL." };
  assert.equal(
    readable(parseChildLine(record("cause", cause))),
    "misconfigured: 403 (no model gpt-x). Set OPENAI_MODEL.",
  );
  assert.equal(
    readable(parseChildLine(record("delivery goes on", { afterMs: 14_200, after: "misconfigured" }))),
    "delivery goes on after 14 s (misconfigured is over)",
  );
});
