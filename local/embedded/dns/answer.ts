// The answer of a DNS server to one question, by its records. Pure.

import { Buffer } from "node:buffer";
// @ts-types="./dns_packet.d.ts"
import packet, { type Answer, type DecodedPacket } from "dns-packet";

/** One record; several of a name and type are several answers. */
export type DnsRecord =
  | { readonly name: string; readonly type: "A" | "AAAA"; readonly address: string }
  | {
    readonly name: string;
    readonly type: "SRV";
    readonly target: string;
    readonly port: number;
    /** Lower values are wanted first: RFC 2782. Default 0. */
    readonly priority?: number;
    readonly weight?: number;
  };

/** Answers must not be cached: every question is about now. */
const TTL_SECONDS = 0;
/** Largest answer over UDP to a client that names no other size, in bytes: RFC 1035 section 4.2.1. */
const UDP_BYTES_MAX = 512;
const NAME_ERROR = 3;

/**
 * The answer to a DNS message; undefined where it is not a question.
 *
 * @param records names in lower case.
 * @param datagram an answer too large for one asks the client to come by TCP.
 */
export function answerQuery(
  message: Uint8Array,
  records: readonly DnsRecord[],
  datagram: boolean,
): Uint8Array | undefined {
  const query = decoded(message);
  const question = query?.questions[0];
  if (query === undefined || question === undefined) return undefined;
  const asked = question.name.toLowerCase();
  const known = records.filter(({ name }) => name === asked);
  const response = { id: query.id, type: "response" as const, questions: [question] };
  const whole = packet.encode({
    ...response,
    flags: packet.AUTHORITATIVE_ANSWER | (known.length === 0 ? NAME_ERROR : 0),
    answers: known.filter(({ type }) => type === question.type).map(answerOf),
  });
  if (!datagram || whole.length <= bytesTaken(query)) return whole;
  return packet.encode({ ...response, flags: packet.AUTHORITATIVE_ANSWER | packet.TRUNCATED_RESPONSE });
}

function answerOf(record: DnsRecord): Answer {
  const { name } = record;
  if (record.type !== "SRV") return { name, type: record.type, ttl: TTL_SECONDS, data: record.address };
  const { target, port, priority = 0, weight = 0 } = record;
  return { name, type: "SRV", ttl: TTL_SECONDS, data: { target, port, priority, weight } };
}

function decoded(message: Uint8Array): DecodedPacket | undefined {
  try {
    const query = packet.decode(Buffer.from(message));
    return query.type === "query" ? query : undefined;
  } catch {
    return undefined;
  }
}

/** What the client takes over UDP, in bytes: RFC 6891 section 6.2.3. */
function bytesTaken(query: DecodedPacket): number {
  const opt = query.additionals.find(({ type }) => type === "OPT");
  return Math.max(UDP_BYTES_MAX, opt?.udpPayloadSize ?? 0);
}
