// Flags, and commands as they can be typed here.

import assert from "node:assert/strict";
import {
  commandsAsStarted,
  helpText,
  parseFlags,
  UsageError,
} from "../../../../shared/process/command_line.ts";

const NPX = "/home/ann/.npm/_npx/0a1b/node_modules/@deno/linux-x64-glibc/deno";

Deno.test("parseFlags() names the flag that a wrong one is near", () => {
  const options = { watch: { type: "boolean" }, json: { type: "boolean" } } as const;
  const parse = (...args: string[]) => () => parseFlags({ args, options });
  assert.throws(parse("--wach"), new UsageError("There is no --wach: do you mean --watch?"));
  assert.throws(parse("--follow"), new UsageError("There is no --follow"));
  assert.throws(parse("extra"), UsageError);
  assert.deepEqual({ ...parse("--json")().values }, { json: true });
});

Deno.test("parseFlags() gives what was given, else the default, with the types of the flags", () => {
  const options = {
    limit: { type: "string", default: "20" },
    at: { type: "string", multiple: true },
    all: { type: "boolean", default: false },
    "no-overlap": { type: "boolean" },
    "dry-run": { type: "boolean", default: false },
  } as const;
  const parse = (...args: string[]) => parseFlags({ args, options, allowPositionals: true });
  assert.deepEqual(parse(), {
    values: { limit: "20", all: false, "dry-run": false },
    positionals: [],
  });
  assert.deepEqual(
    parse("list", "--limit=5", "--at", "a/0/1", "--at", "a/0/2", "--no-overlap", "--dry-run", "-"),
    {
      values: { limit: "5", at: ["a/0/1", "a/0/2"], all: false, "no-overlap": true, "dry-run": true },
      positionals: ["list", "-"],
    },
  );
  assert.deepEqual(parse("--", "--limit").positionals, ["--limit"]);
  assert.throws(() => parse("--limit"), new UsageError("--limit needs a value"));
  assert.throws(() => parse("--dry"), new UsageError("There is no --dry"));
});

Deno.test("helpText() shows usage, flags with their defaults, and examples", () => {
  const text = helpText({
    task: "count",
    usage: "Counts what there is.",
    words: "[FILE]",
    options: {
      limit: { type: "string", default: "20", value: "N", about: "at most so many" },
      hidden: { type: "boolean" },
    },
    examples: [["count a.csv", "one file"]],
    notes: "That is all.",
  });
  assert.equal(
    text,
    `Usage: deno task count [options] [FILE]

Counts what there is.

Options:
  --limit <N>  at most so many (20)
  --version    shows the version
  -h, --help   shows this

Examples:
  deno task count a.csv  one file

That is all.
`,
  );
});

Deno.test("commandsAsStarted() has npx in front where Deno came with npx, once", () => {
  const text = "Run `deno task migrate`, or npx -y deno task lag; see deno task dlq list";
  assert.equal(
    commandsAsStarted(text, NPX),
    "Run `npx -y deno task migrate`, or npx -y deno task lag; see npx -y deno task dlq list",
  );
  assert.equal(commandsAsStarted(text, "/usr/bin/deno", undefined), text);
  assert.equal(
    commandsAsStarted(text, NPX, "./ackpool"),
    "Run `./ackpool migrate`, or ./ackpool lag; see ./ackpool dlq list",
  );
  assert.equal(commandsAsStarted("deno task ackpool --help", NPX, "./ackpool"), "./ackpool --help");
});
