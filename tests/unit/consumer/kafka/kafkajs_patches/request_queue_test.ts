import assert from "node:assert/strict";
import RequestQueue from "kafkajs/src/network/requestQueue/index.js";
import { patchRequestQueue } from "../../../../../consumer/kafka/kafkajs_patches/request_queue.ts";
import { until } from "../../../../support/until.ts";

const logger = { namespace: () => logger, debug: () => {}, error: () => {} };

/** A queue of kafkajs, connected to nothing; what it sends is noted. */
function queueOf(maxInFlightRequests: number | null, requestTimeout?: number) {
  patchRequestQueue();
  const queue = new RequestQueue({
    instrumentationEmitter: null,
    maxInFlightRequests,
    requestTimeout: requestTimeout ?? 30_000,
    enforceRequestTimeout: requestTimeout !== undefined,
    clientId: "c",
    broker: "b:1",
    logger,
    isConnected: () => true,
  });
  const sent: number[] = [];
  const failed: string[] = [];
  const push = (correlationId: number, expectResponse = false) =>
    queue.push({
      entry: { correlationId, reject: ({ name }: Error) => failed.push(name), resolve: () => {} },
      expectResponse,
      sendRequest: () => sent.push(correlationId),
    });
  return { queue, sent, failed, push };
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

/** Moves the wall clock while `act` runs, in ms. */
async function withClockMoved(byMs: number, act: () => Promise<unknown>): Promise<void> {
  const { now } = Date;
  try {
    Date.now = () => now() + byMs;
    await act();
  } finally {
    Date.now = now;
  }
}

Deno.test("patchRequestQueue() lets a request's time run out also when the machine's clock is set back", async () => {
  const { queue, failed, push } = queueOf(null, 20);
  push(1, true);
  queue.scheduleRequestTimeoutCheck();
  try {
    await withClockMoved(-600_000, () => until("its end", () => failed.length === 1));
    assert.deepEqual(failed, ["KafkaJSRequestTimeoutError"]);
  } finally {
    queue.destroy();
  }
});

Deno.test("patchRequestQueue() fails no request because the machine's clock is set forward", async () => {
  const { queue, failed, push } = queueOf(null, 60_000);
  push(1, true);
  queue.scheduleRequestTimeoutCheck();
  let looks = 0;
  queue.isConnected = () => ++looks > 0;
  try {
    await withClockMoved(600_000, () => until("two looks", () => looks >= 2));
    assert.deepEqual(failed, []);
  } finally {
    queue.destroy();
  }
});

Deno.test("patchRequestQueue() has throttling end when the machine's clock is set back", async () => {
  const { queue, sent, push } = queueOf(null);
  queue.maybeThrottle(30);
  push(1);
  await withClockMoved(-600_000, () => until("the request", () => sent.length === 1));
});
