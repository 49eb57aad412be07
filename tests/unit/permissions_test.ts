// Rights of the programs: no list gives everything, files are read from named folders, and no lock file changes by itself.

import assert from "node:assert/strict";
import deno from "../../deno.json" with { type: "json" };
import { FILE_FOLDERS } from "../../shared/config/file_folders.ts";
import { commandOf, type Task } from "../../shared/deno_task.ts";

const tasks: Readonly<Record<string, Task>> = deno.tasks;
/** The tasks that are for production: what consumer/ and worker/ have. */
const PRODUCTION = Object.keys(deno.tasks).filter((task) =>
  / (consumer|worker)\/[\w/]+\.ts/.test(commandOf((deno.tasks as Record<string, Task>)[task]) ?? "")
);

/** The flags of a task that give rights. */
function rightsOf(task: string): readonly string[] {
  return (commandOf(tasks[task]) ?? "").split(/\s+/).filter((word) => /^(--allow-|-[A-Z]$)/.test(word));
}

Deno.test("no program of production may write, run or load anything, or read all of the environment or the disk", () => {
  for (const task of PRODUCTION) {
    const rights = rightsOf(task);
    assert.ok(rights.length > 0, task);
    const wide = rights.filter((right) => !/^--allow-(net$|read=.|env=.)/.test(right));
    assert.deepEqual(wide, [], task);
  }
});

Deno.test("files that the environment names are read from the same folders everywhere, by the ingress from none", () => {
  for (const task of PRODUCTION) {
    const read = rightsOf(task).filter((right) => right.startsWith("--allow-read"));
    const expected = task === "ingress" ? [] : [`--allow-read=${[".", ...FILE_FOLDERS].join(",")}`];
    assert.deepEqual(read, expected, task);
  }
});

Deno.test("every task takes the packages of deno.lock as they are, or fails", () => {
  assert.deepEqual(deno.lock, { path: "deno.lock", frozen: true });
  const unlocked = Object.keys(tasks).filter((task) =>
    /--no-lock|--frozen=false/.test(commandOf(tasks[task]) ?? "")
  );
  assert.deepEqual(unlocked, []);
});
