// Patches kafkajs's request queue, which set a timer a thousand times a second while nothing waited.

import RequestQueue from "kafkajs/src/network/requestQueue/index.js";

/** What is touched of kafkajs's request queue. */
interface Queue {
  readonly pending: readonly unknown[];
  scheduleCheckPendingRequests(): void;
}

let quiet = false;

/**
 * kafkajs 2.2.4 sets a timer for the requests that wait, also where none waits: then for a time in the past, which the
 * runtime takes for 1 ms and warns about, and again from that timer, for ever and for every connection. An idle
 * consumer spent 3% of a core on it. A request that has to wait sets the timer itself when it comes, so without one
 * there is nothing to set it for.
 */
export function patchRequestQueue(): void {
  if (quiet) return;
  quiet = true;
  const queue = (RequestQueue as { readonly prototype: Queue }).prototype;
  const schedule = queue.scheduleCheckPendingRequests;
  queue.scheduleCheckPendingRequests = function (this: Queue): void {
    if (this.pending.length > 0) schedule.call(this);
  };
}
