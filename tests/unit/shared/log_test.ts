// Log lines: what the fast formatter writes is what LogTape's own writes.

import assert from "node:assert/strict";
import { getJsonLinesFormatter, type LogRecord } from "@logtape/logtape";
import { jsonLine, sentenceLine } from "../../../shared/log.ts";

const asLogTapeDoes = getJsonLinesFormatter({ properties: "flatten" });

function record(
  properties: Record<string, unknown>,
  message: readonly unknown[] = ["classified"],
): LogRecord {
  return {
    category: ["ackpool", "worker"],
    level: "warning",
    message,
    rawMessage: "classified",
    timestamp: 1_700_000_000_000,
    properties,
  };
}

Deno.test("jsonLine() writes plain values as LogTape's formatter does", () => {
  const plain = record({
    ticket_id: 7,
    category: "billing",
    paid_now: true,
    reason: null,
    trace_id: undefined,
  });
  assert.equal(jsonLine(plain), asLogTapeDoes(plain));
  assert.deepEqual(JSON.parse(jsonLine(plain)), {
    "@timestamp": "2023-11-14T22:13:20.000Z",
    level: "WARN",
    message: "classified",
    logger: "ackpool.worker",
    ticket_id: 7,
    category: "billing",
    paid_now: true,
    reason: null,
  });
});

Deno.test("jsonLine() leaves what is not plain to LogTape: big integers, errors, control characters, templates", () => {
  for (
    const other of [
      record({ offset: 12n }),
      record({ error: new TypeError("broken") }),
      record({ detail: "a\u009bb", nested: { deep: [1] } }),
      record({ port: 1 }, ["listening on ", 1, ""]),
      record({}, ["a\u009bb"]),
    ]
  ) {
    assert.equal(jsonLine(other), asLogTapeDoes(other));
  }
});

Deno.test("sentenceLine() is one line for people, whatever is in it", () => {
  const line = sentenceLine(record({ cause: "outage", detail: "a\u001b[2J\nb", remedy: "Look." }, ["cause"]));
  assert.match(line, /^\d\d:\d\d:\d\d .*worker: outage: a\\u001b\[2J\\nb\. Look\./);
  assert.equal(line.split("\n").length, 2);
});
