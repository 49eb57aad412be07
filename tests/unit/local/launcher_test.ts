// What ./ackpool runs for a command line.

import assert from "node:assert/strict";
import denoJson from "../../../deno.json" with { type: "json" };
import { DENO_VERSION, plan } from "../../../local/launcher.mjs";
import { projectPath } from "../../../local/project.ts";
import { commandOf, type Task } from "../../../shared/deno_task.ts";

const WATCH = ["--preload", projectPath("local/processes/launcher_watch.ts")];
const CONFIG = ["--quiet", "--config", projectPath("deno.json")];

Deno.test("plan() runs a program with the flags of its task, and no wider ones", () => {
  for (const [name, task] of Object.entries<Task>(denoJson.tasks)) {
    const [deno, run, ...rest] = commandOf(task)?.split(/\s+/) ?? [];
    const at = rest.findIndex((word) => word.endsWith(".ts"));
    if (deno !== "deno" || run !== "run" || at < 0) continue;
    const [flags, file, own] = [rest.slice(0, at), rest[at] ?? "", rest.slice(at + 1)];
    const named = flags.some((flag) => flag === "-A" || flag === "--allow-env")
      ? []
      : ["--allow-env=ACKPOOL_COMMAND"];
    assert.deepEqual(plan([name, "--json", "x y"]).args, [
      "run",
      ...CONFIG,
      ...flags,
      ...named,
      ...WATCH,
      projectPath(file),
      ...own,
      "--json",
      "x y",
    ]);
  }
});

Deno.test("plan() runs where it was typed, but what keeps the project up in its root", () => {
  assert.equal(plan(["produce", "tickets.csv"]).cwd, Deno.cwd());
  assert.equal(plan(["bench:limits"]).cwd, projectPath(""));
  assert.deepEqual(plan(["ok", "-x"]), { cwd: projectPath(""), args: ["task", "--quiet", "ok", "-x"] });
});

Deno.test("plan() asks the list of commands about all else", () => {
  for (const argv of [[], ["--help"], ["lgg", "--json"], ["toString"], ["ackpool", "lag"]]) {
    const { args } = plan(argv);
    assert.deepEqual(args.slice(args.indexOf(projectPath("local/ackpool.ts")) + 1), argv);
  }
  assert.deepEqual(plan(["help", "lag"]), plan(["lag", "--help"]));
});

Deno.test("npx gets the Deno that the image has", async () => {
  const [, image] = /^ARG DENO_VERSION=(\S+)$/m.exec(await Deno.readTextFile(projectPath("Dockerfile"))) ??
    [];
  assert.equal(DENO_VERSION, image);
});
