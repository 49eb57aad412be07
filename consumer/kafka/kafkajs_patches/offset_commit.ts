// Patches how kafkajs reads the answer to a commit: which partitions were refused is told, and that the others were not.

import { createErrorFromCode } from "kafkajs/src/protocol/error.js";
import commitV0 from "kafkajs/src/protocol/requests/offsetCommit/v0/response.js";
import commitV1 from "kafkajs/src/protocol/requests/offsetCommit/v1/response.js";
import commitV2 from "kafkajs/src/protocol/requests/offsetCommit/v2/response.js";
import commitV3 from "kafkajs/src/protocol/requests/offsetCommit/v3/response.js";
import commitV4 from "kafkajs/src/protocol/requests/offsetCommit/v4/response.js";
import commitV5 from "kafkajs/src/protocol/requests/offsetCommit/v5/response.js";
import type { TopicPartition } from "../../records/position.ts";

/** A partition whose offset was not taken. */
export interface CommitRefusal extends TopicPartition {
  /** Kafka's name of the error. */
  readonly type: string;
}

/** Some partitions of a commit were refused; those that are not named were taken. */
export class CommitRefused extends Error {
  override readonly name = "CommitRefused";
  /** Kafka's name of the first error, as kafkajs's own errors have it. */
  readonly type: string | undefined;
  constructor(readonly refusals: readonly CommitRefusal[]) {
    const first = refusals[0];
    super(`${first?.type} for ${refusals.length} partitions, the first ${first?.topic}/${first?.partition}`);
    this.type = first?.type;
  }
}

interface Answer {
  readonly responses: readonly {
    readonly topic: string;
    readonly partitions: readonly { readonly partition: number; readonly errorCode: number }[];
  }[];
}

interface CommitResponse {
  parse(data: Answer): Promise<Answer>;
}

let patched = false;

/** kafkajs 2.2.4 throws the first partition's error, without the partition. */
export function patchOffsetCommit(): void {
  if (patched) return;
  patched = true;
  for (const response of [commitV0, commitV1, commitV2, commitV3, commitV4, commitV5] as readonly unknown[]) {
    (response as CommitResponse).parse = parse;
  }
}

function parse(data: Answer): Promise<Answer> {
  const refusals = data.responses.flatMap(({ topic, partitions }) =>
    partitions.filter(({ errorCode }) => errorCode !== 0).map(({ partition, errorCode }) => ({
      topic,
      partition,
      type: (createErrorFromCode(errorCode) as { readonly type: string }).type,
    }))
  );
  return refusals.length === 0 ? Promise.resolve(data) : Promise.reject(new CommitRefused(refusals));
}
