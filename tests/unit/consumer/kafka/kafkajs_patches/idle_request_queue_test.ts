import assert from "node:assert/strict";
import RequestQueue from "kafkajs/src/network/requestQueue/index.js";
import { patchRequestQueue } from "../../../../../consumer/kafka/kafkajs_patches/idle_request_queue.ts";
import { until } from "../../../../support/until.ts";

const logger = { namespace: () => logger, debug: () => {}, error: () => {} };

/** A queue of kafkajs, connected to nothing; what it sends is noted. */
function queueOf(maxInFlightRequests: number | null) {
  patchRequestQueue();
  const queue = new RequestQueue({
    instrumentationEmitter: null,
    maxInFlightRequests,
    requestTimeout: 30_000,
    enforceRequestTimeout: false,
    clientId: "c",
    broker: "b:1",
    logger,
    isConnected: () => true,
  });
  const sent: number[] = [];
  const push = (correlationId: number) =>
    queue.push({
      entry: { correlationId, reject: () => {}, resolve: () => {} },
      expectResponse: false,
      sendRequest: () => sent.push(correlationId),
    });
  return { queue, sent, push };
}

Deno.test("patchRequestQueue() leaves a queue where nothing waits without a timer", () => {
  const { queue, sent, push } = queueOf(null);
  push(1);
  queue.checkPendingRequests();
  assert.deepEqual(sent, [1]);
  assert.equal(queue.throttleCheckTimeoutId, null);
});

Deno.test("patchRequestQueue() has a throttled request still sent when the throttling ends", async () => {
  const { queue, sent, push } = queueOf(null);
  queue.maybeThrottle(30);
  push(1);
  assert.deepEqual(sent, []);
  await until("the request", () => sent.length === 1);
  assert.equal(queue.throttleCheckTimeoutId, null);
});
