// Patches how kafkajs reads the answer to a fetch: records stay as the bytes they came as, to be unpacked within bounds.

import type { Buffer } from "node:buffer";
import Decoder from "kafkajs/src/protocol/decoder.js";
import fetchV0 from "kafkajs/src/protocol/requests/fetch/v0/response.js";
import fetchV1 from "kafkajs/src/protocol/requests/fetch/v1/response.js";
import fetchV2 from "kafkajs/src/protocol/requests/fetch/v2/response.js";
import fetchV3 from "kafkajs/src/protocol/requests/fetch/v3/response.js";
import fetchV4 from "kafkajs/src/protocol/requests/fetch/v4/response.js";
import fetchV5 from "kafkajs/src/protocol/requests/fetch/v5/response.js";
import fetchV6 from "kafkajs/src/protocol/requests/fetch/v6/response.js";
import fetchV7 from "kafkajs/src/protocol/requests/fetch/v7/response.js";
import fetchV8 from "kafkajs/src/protocol/requests/fetch/v8/response.js";
import fetchV9 from "kafkajs/src/protocol/requests/fetch/v9/response.js";
import fetchV10 from "kafkajs/src/protocol/requests/fetch/v10/response.js";
import fetchV11 from "kafkajs/src/protocol/requests/fetch/v11/response.js";

/** What is used of kafkajs's reader of answers. */
interface AnswerDecoder {
  readInt16(): number;
  readInt32(): number;
  readInt64(): { toString(): string };
  readString(): string;
  readBytes(): Buffer | null;
  readArray<T>(read: (decoder: AnswerDecoder) => T): T[];
}

interface Response {
  decode(bytes: Buffer): Promise<unknown>;
}

/** kafkajs's readers of a fetch's answer, by version. */
export const FETCH_RESPONSES: readonly unknown[] = [
  fetchV0,
  fetchV1,
  fetchV2,
  fetchV3,
  fetchV4,
  fetchV5,
  fetchV6,
  fetchV7,
  fetchV8,
  fetchV9,
  fetchV10,
  fetchV11,
];

/** The first version whose answer has batches of records. */
const RECORD_BATCHES = 4;
/** The first versions with what an answer has besides its records. */
const LOG_START = 5;
const SESSION = 7;
/** From here on the broker leaves it to the client to wait. */
const CLIENT_WAITS = 8;
const READ_REPLICA = 11;

/** kafkajs 2.2.4 unpacks every batch of an answer before anybody sees it, and fails the whole answer for one of them. */
export function patchFetchResponse(): void {
  for (const [version, response] of FETCH_RESPONSES.entries()) {
    if (version < RECORD_BATCHES) continue;
    (response as Response).decode = (bytes) => Promise.resolve(decode(bytes, version));
  }
}

/** The answer of a version, as kafkajs has it, but with `recordSet` in the place of messages. */
function decode(bytes: Buffer, version: number): unknown {
  const decoder = new (Decoder as unknown as new (bytes: Buffer) => AnswerDecoder)(bytes);
  const waitMs = decoder.readInt32();
  const session = version < SESSION ? {} : { errorCode: decoder.readInt16(), sessionId: decoder.readInt32() };
  const responses = decoder.readArray(() => ({
    topicName: decoder.readString(),
    partitions: decoder.readArray(() => decodePartition(decoder, version)),
  }));
  const wait = version < CLIENT_WAITS
    ? { throttleTime: waitMs }
    : { throttleTime: 0, clientSideThrottleTime: waitMs };
  return { ...wait, ...session, responses };
}

function decodePartition(decoder: AnswerDecoder, version: number) {
  return {
    partition: decoder.readInt32(),
    errorCode: decoder.readInt16(),
    highWatermark: decoder.readInt64().toString(),
    lastStableOffset: decoder.readInt64().toString(),
    ...(version < LOG_START ? {} : { lastStartOffset: decoder.readInt64().toString() }),
    abortedTransactions: decoder.readArray(() => ({
      producerId: decoder.readInt64().toString(),
      firstOffset: decoder.readInt64().toString(),
    })),
    ...(version < READ_REPLICA ? {} : { preferredReadReplica: decoder.readInt32() }),
    messages: [],
    recordSet: decoder.readBytes(),
  };
}
