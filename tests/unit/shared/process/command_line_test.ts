// Flags, and commands as they can be typed here.

import assert from "node:assert/strict";
import { commandsAsStarted, parseFlags, UsageError } from "../../../../shared/process/command_line.ts";

const NPX = "/home/ann/.npm/_npx/0a1b/node_modules/@deno/linux-x64-glibc/deno";

Deno.test("parseFlags() names the flag that a wrong one is near", () => {
  const options = { watch: { type: "boolean" }, json: { type: "boolean" } } as const;
  const parse = (...args: string[]) => () => parseFlags({ args, options });
  assert.throws(parse("--wach"), new UsageError("There is no --wach: do you mean --watch?"));
  assert.throws(parse("--follow"), new UsageError("There is no --follow"));
  assert.throws(parse("extra"), UsageError);
  assert.deepEqual({ ...parse("--json")().values }, { json: true });
});

Deno.test("commandsAsStarted() has npx in front where Deno came with npx, once", () => {
  const text = "Run `deno task migrate`, or npx -y deno task lag; see deno task dlq list";
  assert.equal(
    commandsAsStarted(text, NPX),
    "Run `npx -y deno task migrate`, or npx -y deno task lag; see npx -y deno task dlq list",
  );
  assert.equal(commandsAsStarted(text, "/usr/bin/deno"), text);
});
