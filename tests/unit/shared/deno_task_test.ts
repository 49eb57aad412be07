// How a task of deno.json is read.

import assert from "node:assert/strict";
import { commandOf } from "../../../shared/deno_task.ts";

Deno.test("commandOf() takes a task with a description and one without", () => {
  assert.equal(commandOf("deno run a.ts"), "deno run a.ts");
  assert.equal(commandOf({ description: "runs a", command: "deno run a.ts" }), "deno run a.ts");
  assert.equal(commandOf(undefined), undefined);
});

Deno.test("commandOf() puts the words of a file where deno task does", () => {
  const read = (path: string) => path === "a/permissions.txt" ? "--allow-net\n--allow-env=A,B\n" : "";
  assert.equal(
    commandOf("deno run $(cat a/permissions.txt) a.ts", read),
    "deno run --allow-net --allow-env=A,B a.ts",
  );
});
