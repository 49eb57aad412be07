// What the command lines of pause, resume, rate and pool ask a consumer for.

import assert from "node:assert/strict";
import { requestOf } from "../../../../../consumer/cli/flow/flow_arguments.ts";

Deno.test("requestOf() reads what is to be paused or set", () => {
  const cases = [
    ["pause", [], "/flow/pause", {}],
    ["pause", ["support-tickets"], "/flow/pause", { topic: "support-tickets" }],
    ["resume", ["a.b_c/12"], "/flow/resume", { topic: "a.b_c", partition: 12 }],
    ["rate", [], "/flow", undefined],
    ["rate", ["2.5"], "/flow/rate", { recordsPerSecond: 2.5 }],
    ["rate", ["none"], "/flow/rate", { recordsPerSecond: null }],
    ["pool", ["40"], "/flow/pool", { permits: 40 }],
    ["pool", ["none"], "/flow/pool", { permits: null }],
  ] as const;
  for (const [task, words, path, body] of cases) assert.deepEqual(requestOf(task, words), { path, body });
});

Deno.test("requestOf() refuses words that make no sense", () => {
  for (
    const [task, words] of [
      ["pause", ["a/b"]],
      ["pause", ["a", "b"]],
      ["pause", [""]],
      ["rate", ["-1"]],
      ["rate", ["fast"]],
      ["pool", ["1.5"]],
      ["stop", []],
    ] as const
  ) assert.throws(() => requestOf(task, words), TypeError, `${task} ${words}`);
});
