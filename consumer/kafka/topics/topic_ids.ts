// readTopicIds(): a topic that was deleted and made anew has another id than before.

import type { Broker } from "kafkajs";
import Decoder from "kafkajs/src/protocol/decoder.js";
import Encoder from "kafkajs/src/protocol/encoder.js";

/** What is touched of a broker besides its typed interface. */
interface Asked extends Broker {
  readonly versions: Readonly<Record<number, { readonly maxVersion: number } | undefined>> | null;
  readonly connectionPool: { send<T>(question: unknown): Promise<T> };
}

const METADATA = 3;
/** The first version that tells ids; kafkajs 2.2.4 knows those before it. */
const VERSION = 10;
const NO_ID = "0".repeat(32);

/** Ids by topic, as far as the broker knows them; none at all from one older than Kafka 2.8. */
export async function readTopicIds(
  broker: Broker,
  topics: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const { versions, connectionPool } = broker as Asked;
  if (topics.length === 0 || (versions?.[METADATA]?.maxVersion ?? 0) < VERSION) return new Map();
  return await connectionPool.send<ReadonlyMap<string, string>>({
    request: {
      apiKey: METADATA,
      apiVersion: VERSION,
      apiName: "Metadata",
      encode: () => Promise.resolve(encode(topics)),
    },
    response: {
      decode: (bytes: Uint8Array) => Promise.resolve(decode(bytes)),
      parse: (ids: ReadonlyMap<string, string>) => Promise.resolve(ids),
    },
  });
}

function encode(topics: readonly string[]): Encoder {
  const one = (topic: string) =>
    new Encoder()
      .writeBuffer(Buffer.alloc(16)) // no id
      .writeUVarIntString(topic)
      .writeUVarInt(0); // no tagged fields
  return new Encoder()
    .writeUVarInt(0) // no tagged fields in the header
    .writeUVarIntArray(topics.map(one))
    .writeBoolean(false) // make no topic
    .writeBoolean(false) // nor tell rights on the cluster
    .writeBoolean(false) // nor on topics
    .writeUVarInt(0); // no tagged fields
}

function decode(bytes: Uint8Array): ReadonlyMap<string, string> {
  const decoder = new Decoder(bytes);
  decoder.readTaggedFields();
  decoder.readInt32(); // throttle time
  decoder.readUVarIntArray(skipBroker);
  decoder.readUVarIntString(); // cluster id
  decoder.readInt32(); // controller id
  const topics: readonly ReturnType<typeof readTopic>[] = decoder.readUVarIntArray(readTopic) ?? [];
  return new Map(
    topics.filter(({ id, error }) => error === 0 && id !== NO_ID).map(({ name, id }) => [name, id]),
  );
}

function skipBroker(decoder: Decoder): void {
  decoder.readInt32(); // node id
  decoder.readUVarIntString(); // host
  decoder.readInt32(); // port
  decoder.readUVarIntString(); // rack
  decoder.readTaggedFields();
}

function readTopic(decoder: Decoder) {
  const error: number = decoder.readInt16();
  const name: string = decoder.readUVarIntString() ?? "";
  const id = Array.from({ length: 16 }, () => (decoder.readInt8() & 0xff).toString(16).padStart(2, "0")).join(
    "",
  );
  decoder.readBoolean(); // internal
  decoder.readUVarIntArray(skipPartition);
  decoder.readInt32(); // rights
  decoder.readTaggedFields();
  return { error, name, id };
}

function skipPartition(decoder: Decoder): void {
  decoder.readInt16(); // error
  decoder.readInt32(); // partition
  decoder.readInt32(); // leader
  decoder.readInt32(); // leader epoch
  for (let list = 0; list < 3; list++) decoder.readUVarIntArray((each: Decoder) => each.readInt32());
  decoder.readTaggedFields();
}
