// CloudEvents on their way from Kafka to HTTP, by the examples of the two bindings.

import assert from "node:assert/strict";
import { toRequest } from "../../../../consumer/senders/http_request.ts";
import type { KafkaRecord } from "../../../../consumer/records/record.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

function request(headers: Record<string, string>, value = '{"data":1}') {
  const asBytes = Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, bytes(text)]));
  const record: KafkaRecord = {
    topic: "t",
    partition: 0,
    offset: 1,
    timestampMs: 0,
    key: null,
    value: bytes(value),
    headers: asBytes,
  };
  return toRequest(record, undefined, 1, 1000);
}

Deno.test("toRequest() turns a CloudEvent in binary mode into one of HTTP's, its data byte for byte", () => {
  const { headers, body } = request({
    ce_specversion: "1.0",
    ce_type: "com.example.someevent",
    ce_source: "/mycontext/subcontext",
    ce_id: "1234-1234-1234",
    ce_time: "2018-04-05T03:56:24Z",
    "content-type": "application/avro",
    "other": "stays here",
  });
  const attributes = Object.entries(headers).filter(([name]) => name.startsWith("ce-"));
  assert.deepEqual(Object.fromEntries(attributes), {
    "ce-specversion": "1.0",
    "ce-type": "com.example.someevent",
    "ce-source": "/mycontext/subcontext",
    "ce-id": "1234-1234-1234",
    "ce-time": "2018-04-05T03:56:24Z",
  });
  assert.equal(headers["content-type"], "application/avro");
  assert.deepEqual(body, bytes('{"data":1}'));
});

Deno.test("toRequest() encodes attributes that HTTP cannot carry as they are", () => {
  const { headers } = request({ ce_specversion: "1.0", ce_subject: 'Euro € 😀 "50%"\r\nx: y' });
  assert.equal(headers["ce-subject"], "Euro%20%E2%82%AC%20%F0%9F%98%80%20%2250%25%22%0D%0Ax:%20y");
});

Deno.test("toRequest() passes a CloudEvent in structured mode as it is", () => {
  const value = '{"specversion":"1.0","type":"t","source":"s","id":"1","data":{}}';
  const type = "application/cloudevents+json; charset=UTF-8";
  const { headers, body } = request({ "content-type": type, ce_specversion: "1.0", ce_id: "2" }, value);
  assert.equal(headers["content-type"], type);
  assert.deepEqual(Object.keys(headers).filter((name) => name.startsWith("ce-")), []);
  assert.deepEqual(body, bytes(value));
});

Deno.test("toRequest() goes on with the trace of a CloudEvent's extension, and prefers the record's own", () => {
  const event = { ce_specversion: "1.0", ce_traceparent: TRACE };
  assert.equal(request(event).headers["traceparent"], TRACE);
  const own = TRACE.replace("b7ad", "c7ad");
  assert.equal(request({ ...event, traceparent: own }).headers["traceparent"], own);
});

Deno.test("toRequest() makes no CloudEvent of a record that says no version", () => {
  assert.equal(request({ ce_id: "1" }).headers["ce-id"], undefined);
});
