// Span of an attempt: in the record's trace, and the parent of what the worker does.

import type { Answered, AttemptRequest } from "../../shared/pool/exchange/buffered.ts";
import { outcomeLabel } from "../../shared/contract/outcome.ts";
import { RequestHeader } from "../../shared/contract/protocol.ts";
import { Attribute } from "../../shared/tracing/semantic_conventions.ts";
import { traced, TRACES } from "../../shared/tracing/spans.ts";
import type { KafkaRecord } from "../records/record.ts";

/** Sends an attempt within a span of its own; `send` gets the request with that span's `traceparent`. */
export function tracedAttempt(
  { topic, partition, offset }: Pick<KafkaRecord, "topic" | "partition" | "offset">,
  attempt: number,
  request: AttemptRequest,
  send: (request: AttemptRequest) => Promise<Answered>,
): Promise<Answered> {
  // Asked here, too: this is the way of every record.
  if (!TRACES) return send(request);
  return traced(
    () => ({
      name: `process ${topic}`,
      kind: "consumer",
      traceparent: request.headers[RequestHeader.traceparent],
      attributes: {
        [Attribute.messagingSystem]: "kafka",
        [Attribute.messagingOperationName]: "process",
        [Attribute.messagingOperationType]: "process",
        [Attribute.messagingDestination]: topic,
        [Attribute.messagingPartition]: String(partition),
        [Attribute.messagingOffset]: Number(offset),
        ...(attempt > 1 ? { [Attribute.httpResendCount]: attempt - 1 } : {}),
      },
    }),
    async ({ traceparent, set, fail }) => {
      const headers = {
        ...request.headers,
        ...(traceparent === undefined ? {} : { [RequestHeader.traceparent]: traceparent }),
      };
      const answered = await send({ ...request, headers });
      const { outcome } = answered;
      if (outcome.kind === "answer") set({ [Attribute.httpStatus]: outcome.status });
      if (outcome.kind !== "answer" || outcome.status >= 400) fail(outcomeLabel(outcome));
      return answered;
    },
  );
}
