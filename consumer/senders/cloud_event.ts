// CloudEvents 1.0: a Kafka record in binary mode becomes an HTTP request in binary mode. Structured ones pass as they are.

import { headerText, type KafkaRecord } from "../records/record.ts";

/** Kafka protocol binding section 3.2.3.1: attributes are headers with this prefix, in lower case. */
const ATTRIBUTE = /^ce_([a-z0-9]{1,64})$/;

/**
 * The `ce-*` headers of a record in binary mode; none for any other record. The content type is a header of its own
 * on both sides, and the value is the event's data.
 */
export function cloudEventHeaders(headers: KafkaRecord["headers"]): Readonly<Record<string, string>> {
  if (headerText(headers["ce_specversion"]) === undefined) return {};
  // HTTP knows structured mode by the content type (HTTP binding section 3): then attributes are in the body.
  if (headerText(headers["content-type"])?.toLowerCase().startsWith("application/cloudevents")) return {};
  const attributes = Object.entries(headers).flatMap(([name, value]) => {
    const [, attribute] = ATTRIBUTE.exec(name) ?? [];
    const text = headerText(value);
    return attribute === undefined || text === undefined ? [] : [[`ce-${attribute}`, percentEncoded(text)]];
  });
  return Object.fromEntries(attributes);
}

/** HTTP binding section 3.1.3.2: all but printable ASCII, and of that space, quotes and percent, as UTF-8 in hex. */
function percentEncoded(text: string): string {
  const bytes = new TextEncoder().encode(text);
  return Array.from(bytes, (byte) => {
    const plain = byte > 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x25;
    return plain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }).join("");
}
