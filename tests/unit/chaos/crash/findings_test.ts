// What the crash campaign counts as a fault.

import assert from "node:assert/strict";
import type { CrashOptions, CrashResult, Kill } from "../../../chaos/crash/crash.ts";
import { crashFaults } from "../../../chaos/crash/findings.ts";

const options: CrashOptions = {
  brokers: "",
  databaseUrl: "",
  tickets: 10,
  partitions: 1,
  kills: 1,
  kill: "consumer",
  replicas: 2,
  concurrency: 8,
  latencyMs: 200,
  sessionTimeoutMs: 6000,
  report: () => {},
};

const kill: Kill = {
  atMs: 0,
  settled: 5,
  inFlight: new Set(["in flight"]),
  settledSinceCommit: new Set(["uncommitted"]),
  oldestUncommittedMs: 900,
  sentAgain: new Set(["in flight", "uncommitted"]),
};

const result: CrashResult = {
  kills: [kill],
  tickets: 10,
  unlabelled: 0,
  posts: 12,
  ticketsByPosts: new Map([[1, 8], [2, 2]]),
  postsByEnd: new Map([["200", 12]]),
  llmCalls: 10,
  deadLetters: 0,
  seconds: 1,
};

Deno.test("crashFaults() finds nothing where only in-flight and uncommitted records come again", () => {
  assert.deepEqual(crashFaults(options, result), []);
});

const faults: Record<string, { result: Partial<CrashResult>; options?: Partial<CrashOptions> }> = {
  "3 tickets are without a label": { result: { unlabelled: 3 } },
  "9 tickets are in the table instead of 10": { result: { tickets: 9, llmCalls: 9 } },
  "only 0 kills": { result: { kills: [] } },
  "1 committed records were delivered again": {
    result: { kills: [{ ...kill, sentAgain: new Set(["committed"]) }] },
  },
  "records settled 5000 ms before a kill were not committed": {
    result: { kills: [{ ...kill, oldestUncommittedMs: 5000 }] },
  },
  "the LLM was asked 1 times less than there are tickets": { result: { llmCalls: 9 } },
  "2 LLM calls beyond one a ticket, 0 are explained": { result: { llmCalls: 12 } },
  "2 LLM calls beyond one a ticket, 1 are explained": {
    result: { llmCalls: 12 },
    options: { kill: "worker" },
  },
  "1 dead letters": { result: { deadLetters: 1 } },
};

for (const [fault, planted] of Object.entries(faults)) {
  Deno.test(`crashFaults() says that ${fault}`, () => {
    assert.deepEqual(crashFaults({ ...options, ...planted.options }, { ...result, ...planted.result }), [
      fault,
    ]);
  });
}
