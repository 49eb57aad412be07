// What the command line of `deno task dlq` means.

import assert from "node:assert/strict";
import { parseDlqArguments, parseTime } from "../../../../consumer/cli/dlq_arguments.ts";

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

Deno.test("parseDlqArguments() refuses a status that no dead letter can have", () => {
  for (const status of ["foo", "4x", "600", "422,,5xx", ""]) {
    assert.throws(
      () => parse("list", "--status", status),
      /^TypeError: --status takes words such as 422, 5xx/,
    );
  }
  assert.equal(parse("list", "--status", "5XX,timeout,refused,reset,404").name, "list");
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
  assert.throws(() => parse("purge"), /There is no purge: list, show/);
  assert.throws(() => parse("repaly"), /There is no repaly: do you mean replay\?/);
  assert.throws(() => parse("show"), /show takes one/);
});

Deno.test("parseDlqArguments() believes what no secret proves only where that is said", () => {
  for (const args of [["list"], ["show", "0/1"], ["replay", "--everything"], ["drop", "--everything"]]) {
    const unsigned = (...more: string[]) => {
      const command = parse(...args, ...more);
      return "unsigned" in command && command.unsigned;
    };
    assert.deepEqual([unsigned(), unsigned("--unsigned")], [false, true]);
  }
});

Deno.test("parseTime() reads how long ago, and dates", () => {
  assert.equal(parseTime("--since", "7d", NOW), NOW - 7 * 86_400_000);
  assert.equal(parseTime("--since", "2026-01-01", NOW), Date.parse("2026-01-01"));
});

Deno.test("parseDlqArguments() reads the place of a record to take out, in one piece or three", () => {
  const place = { name: "take", topic: "t.x", partition: 3, offset: 42, admins: undefined };
  assert.deepEqual(parse("take", "t.x/3/42"), place);
  assert.deepEqual(parse("take", "t.x", "3", "42"), place);
  const elsewhere = parse("take", "t.x/3/42", "--admin", "http://a:1", "--admin", "http://b:1");
  assert.deepEqual(elsewhere, { ...place, admins: ["http://a:1", "http://b:1"] });
  assert.throws(() => parse("take", "t.x/3"), /TOPIC\/PARTITION\/OFFSET/);
});

Deno.test("parseDlqArguments() reads how many dead letters are let through", () => {
  assert.deepEqual(parse("allow", "100"), { name: "allow", count: 100, admins: undefined });
  assert.throws(() => parse("allow", "many"), /COUNT is not a whole number from 1 on/);
  assert.throws(() => parse("allow"), /allow takes one COUNT/);
});
