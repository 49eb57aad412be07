// What the command line of `deno task dlq` means.

import assert from "node:assert/strict";
import { parseDlqArguments, parseTime } from "../../../../consumer/dead_letters/arguments.ts";

const NOW = Date.parse("2026-01-10T00:00:00Z");
const parse = (...args: string[]) => parseDlqArguments(args, NOW, 3);

Deno.test("parseDlqArguments() reads every filter", () => {
  const command = parse("list", "--status", "422, 5xx", "--since", "2h", "--until", "2026-01-09T23:30:00Z");
  assert.equal(command.name, "list");
  assert.deepEqual(command.name === "list" && command.filter, {
    statuses: ["422", "5xx"],
    sinceMs: NOW - 7_200_000,
    untilMs: NOW - 1_800_000,
  });
});

Deno.test("parseDlqArguments() gives a replay the configured most of replays, and lets the command line say another", () => {
  const most = (...args: string[]) => {
    const command = parse("replay", "--everything", ...args);
    return command.name === "replay" ? command.request.replaysMax : undefined;
  };
  assert.deepEqual([most(), most("--replays-max", "9")], [3, 9]);
});

Deno.test("parseDlqArguments() replays and drops nothing that nobody named", () => {
  for (const name of ["replay", "drop"]) {
    assert.throws(() => parse(name), /Say which/);
    assert.throws(() => parse(name, "--max", "5"), /Say which/);
    assert.equal(parse(name, "--dry-run").name, name);
  }
});

Deno.test("parseDlqArguments() says what it does not understand, and its value", () => {
  assert.throws(
    () => parse("replay", "--everything", "--rate", "0"),
    /--rate .* from 1 on: current value is "0"/,
  );
  assert.throws(() => parse("list", "--since", "soon"), /--since is neither .*: current value is "soon"/);
  assert.throws(() => parse("purge"), /There is no purge/);
  assert.throws(() => parse("show"), /show takes one/);
});

Deno.test("parseTime() reads how long ago, and dates", () => {
  assert.equal(parseTime("--since", "7d", NOW), NOW - 7 * 86_400_000);
  assert.equal(parseTime("--since", "2026-01-01", NOW), Date.parse("2026-01-01"));
});
