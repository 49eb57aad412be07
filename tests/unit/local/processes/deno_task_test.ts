// The tasks of deno.json as children of start.

import assert from "node:assert/strict";
import { watchedTask } from "../../../../local/processes/deno_task.ts";
import { projectPath } from "../../../../local/project.ts";

Deno.test("watchedTask() keeps the task's flags and puts the parent watch before its file", () => {
  const tasks = { worker: "deno run --no-prompt --allow-env=A,B worker/main.ts" };
  assert.deepEqual(watchedTask("worker", tasks), [
    "run",
    "--no-prompt",
    "--allow-env=A,B",
    "--preload",
    projectPath("local/processes/parent_watch.ts"),
    projectPath("worker/main.ts"),
  ]);
});

Deno.test("watchedTask() runs a task that is described as well", () => {
  const command = "deno run --allow-net worker/main.ts";
  assert.deepEqual(
    watchedTask("worker", { worker: { description: "Labels tickets", command } }),
    watchedTask("worker", { worker: command }),
  );
});

Deno.test("watchedTask() refuses tasks that are not one plain deno run", () => {
  for (const task of ["deno fmt && deno lint", "node main.js", "deno run"]) {
    assert.throws(
      () => watchedTask("x", { x: task }),
      /Task x is not "deno run \[flags\] file.ts": current value is/,
    );
  }
});

Deno.test("watchedTask() can run every production part of deno.json", () => {
  for (const name of ["consumer", "worker", "ingress", "migrate"]) {
    const args = watchedTask(name);
    assert.ok(args.some((arg) => arg.startsWith("--allow-net")), name);
    assert.ok(!args.includes("-A") && !args.includes("--allow-run"), `${name} has narrow rights`);
  }
});
