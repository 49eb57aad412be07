// The command line of every program: what it says of itself, and what it refuses before anything starts.

import assert from "node:assert/strict";
import denoJson from "../../deno.json" with { type: "json" };
import { commandOf, type Task } from "../../shared/deno_task.ts";
import { VERSION } from "../../shared/version.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const tasks: Readonly<Record<string, Task>> = denoJson.tasks;
/** Every task that is one program of ours. */
const programs = Object.keys(tasks).filter((task) => /^deno run /.test(commandOf(tasks[task]) ?? ""));

Deno.test("every program refuses a flag it does not know, before anything starts", async () => {
  for (const task of programs) {
    assert.deepEqual(await run(task, "--nonsense"), {
      code: 2,
      stdout: "",
      stderr: `ackpool: There is no --nonsense\nackpool: deno task ${task} --help shows what it takes\n`,
    });
  }
});

Deno.test("every program of production answers --help and --version", async () => {
  for (
    const task of [
      "start",
      "produce",
      "migrate",
      "report",
      "worker",
      "consumer",
      "drain",
      "ingress",
      "lag",
      "dlq",
      "pause",
      "resume",
      "rate",
      "pool",
      "why",
      "tail",
      "eval",
    ]
  ) {
    const help = await run(task, "--help");
    assert.deepEqual([help.code, help.stderr], [0, ""]);
    assert.match(help.stdout, new RegExp(`deno task ${task}\\b`));
  }
  const expected = { code: 0, stdout: `ackpool worker ${VERSION}\n`, stderr: "" };
  assert.deepEqual(await run("worker", "--version"), expected);
});

Deno.test("a program names misspelt variables of its environment, and goes on", async () => {
  const { code, stderr } = await run("lag", undefined, { KAFKA_BROKER: "kafka:9092" });
  assert.equal(code, 1);
  assert.match(stderr, /^ackpool: KAFKA_BROKER is not read: do you mean KAFKA_BROKERS\?\nackpool: No Kafka/);
});

async function run(task: string, flag?: string, env: Readonly<Record<string, string>> = {}) {
  const [, run, ...flags] = commandOf(tasks[task])?.split(/\s+/) ?? [];
  // Deno says on standard error what it downloads for a first run.
  const args = [run ?? "", "--quiet", ...flags];
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args, ...(flag === undefined ? [] : [flag])],
    cwd: ROOT,
    clearEnv: true,
    env: { NO_COLOR: "1", PATH: Deno.env.get("PATH") ?? "", HOME: Deno.env.get("HOME") ?? "", ...env },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}
