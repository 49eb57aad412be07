import assert from "node:assert/strict";
import { configureSync, type LogRecord, resetSync } from "@logtape/logtape";
import { CauseLog } from "../../../consumer/cause_log.ts";
import type { Cause } from "../../../shared/http/health.ts";

const cause = (name: string, sinceMs: number): Cause => ({ name, sinceMs, detail: "d", remedy: "r" });

/** What is logged while `act` runs: each message with the causes and times in it. */
function logged(act: () => void): readonly string[] {
  const lines: string[] = [];
  const sink = ({ message, properties: { cause, after, afterMs } }: LogRecord) => {
    lines.push([message.join(""), cause, after, afterMs].filter((each) => each !== undefined).join(" "));
  };
  configureSync({
    reset: true,
    sinks: { lines: sink },
    loggers: [
      { category: "ackpool", lowestLevel: "info", sinks: ["lines"] },
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: [] },
    ],
  });
  try {
    act();
  } finally {
    resetSync();
  }
  return lines;
}

Deno.test("CauseLog.look() logs a cause once when it begins, and that delivery goes on when the last one is over", () => {
  const log = new CauseLog();
  const lines = logged(() => {
    log.look([cause("no-replica", 1000)], 1000);
    log.look([cause("no-replica", 1000)], 3000);
    log.look([cause("no-replica", 1000), cause("outage", 5000)], 5000);
    log.look([cause("no-replica", 1000), cause("outage", 5000)], 7000);
    log.look([cause("outage", 5000)], 9000);
    log.look([], 15_000);
    log.look([], 16_000);
  });
  assert.deepEqual(lines, [
    "cause no-replica",
    "cause outage",
    "cause over no-replica 8000",
    "delivery goes on outage 14000",
  ]);
});

Deno.test("CauseLog.look() says nothing of a consumer that has only joined", () => {
  const log = new CauseLog();
  const lines = logged(() => {
    for (const nowMs of [0, 1000, 9000]) log.look([cause("joining", 0)], nowMs);
    log.look([], 10_000);
  });
  assert.deepEqual(lines, []);
});

Deno.test("CauseLog.look() announces the end of a cause that its own part logs", () => {
  const log = new CauseLog();
  const lines = logged(() => {
    for (const nowMs of [2500, 3500, 4500]) log.look([cause("kafka-unavailable", 2000)], nowMs);
    log.look([], 6000);
  });
  assert.deepEqual(lines, ["delivery goes on kafka-unavailable 4000"]);
});

Deno.test("CauseLog.look() says nothing of what is over in two seconds, and counts from when it held delivery up", () => {
  const log = new CauseLog();
  const lines = logged(() => {
    log.look([cause("no-replica", 0)], 3_600_000);
    log.look([], 3_601_000);
    for (const nowMs of [3_700_000, 3_701_000, 3_702_000]) log.look([cause("no-replica", 0)], nowMs);
    log.look([], 3_703_000);
  });
  assert.deepEqual(lines, ["cause no-replica", "delivery goes on no-replica 4000"]);
});
