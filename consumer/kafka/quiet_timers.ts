// Keeps one warning of the runtime's from standard error that kafkajs 2.2.4 calls forth and that means nothing.

import process from "node:process";

let quiet = false;

/**
 * kafkajs computes its next look at pending requests as "end of throttling minus now", which is negative where nothing
 * is throttled. The runtime takes that for 1 ms, which is fine, and warns about it. All other warnings stay.
 */
export function quietNegativeTimeouts(): void {
  if (quiet) return;
  quiet = true;
  const listeners = process.listeners("warning");
  process.removeAllListeners("warning");
  process.on("warning", (warning) => {
    if (warning.name !== "TimeoutNegativeWarning") listeners.forEach((listener) => listener(warning));
  });
}
