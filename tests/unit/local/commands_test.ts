// The list of commands against deno.json and against the programs' own flags.

import assert from "node:assert/strict";
import denoJson from "../../../deno.json" with { type: "json" };
import { COMMANDS, WITH_FLAGS } from "../../../local/commands.ts";

Deno.test("COMMANDS has every task but the command line itself, each in a group", () => {
  const names = Object.keys(denoJson.tasks).filter((name) => name !== "ackpool");
  assert.deepEqual(COMMANDS.map(({ name }) => name).sort(), names.sort());
  const groups = new Set(COMMANDS.map(({ group }) => group));
  assert.deepEqual([...groups].sort(), ["MEASURE", "OPERATE", "PROGRAM", "START", "TEST"]);
});

Deno.test("every flag that is completed is described, and belongs to a task", () => {
  for (const { task, options = {} } of WITH_FLAGS) {
    assert.ok(Object.hasOwn(denoJson.tasks, task), task);
    for (const [name, { about }] of Object.entries(options)) assert.ok(about, `${task} --${name}`);
  }
});

Deno.test("every program for operators completes its flags", () => {
  const operators = COMMANDS.filter(({ group }) => group === "OPERATE").map(({ name }) => name);
  const completed = new Set(WITH_FLAGS.map(({ task }) => task));
  assert.deepEqual(operators.filter((name) => !completed.has(name)), []);
});
