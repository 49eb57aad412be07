// The part of dns-packet that the name server uses. Its own types would bring those of Node.js over Deno's.

/** A question about a name. */
export interface Question {
  readonly name: string;
  readonly type: string;
}

/** An answer about a name. */
export type Answer =
  | { readonly name: string; readonly type: "A" | "AAAA"; readonly ttl: number; readonly data: string }
  | {
    readonly name: string;
    readonly type: "SRV";
    readonly ttl: number;
    readonly data: {
      readonly target: string;
      readonly port: number;
      readonly priority: number;
      readonly weight: number;
    };
  };

/** A message to be written. */
export interface Packet {
  readonly id: number;
  readonly type: "query" | "response";
  readonly flags: number;
  readonly questions: readonly Question[];
  readonly answers?: readonly Answer[];
}

/** A message that was read. */
export interface DecodedPacket {
  readonly id: number;
  readonly type: "query" | "response";
  readonly questions: readonly Question[];
  readonly additionals: readonly { readonly type: string; readonly udpPayloadSize?: number }[];
}

declare const packet: {
  readonly AUTHORITATIVE_ANSWER: number;
  readonly TRUNCATED_RESPONSE: number;
  encode(packet: Packet): Uint8Array;
  /** Throws when the message is none. */
  decode(message: Uint8Array): DecodedPacket;
};

export default packet;
