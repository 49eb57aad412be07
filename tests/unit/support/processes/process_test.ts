// Child processes under test: their lines, their ends, and that none is left behind.

import assert from "node:assert/strict";
import { type Child, INHERITED, startChild } from "../../../support/processes/process.ts";
import { until } from "../../../support/until.ts";

const shell = (script: string): Child =>
  startChild({ name: "sh", command: "sh", args: ["-c", script], env: { GREETING: "hello" } });

function runs(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(Deno.readTextFileSync(`/proc/${pid}/status`));
  } catch {
    return false;
  }
}

Deno.test("Child.waitForLine() finds JSON lines by their fields, written before or after the call", async () => {
  await using child = shell(
    `echo text; echo '{"message":"up","port":17}'; sleep 0.05; echo '{"message":"done"}'`,
  );
  assert.equal((await child.waitForLine(({ fields }) => fields["message"] === "up")).fields["port"], 17);
  await child.waitForLine(({ fields }) => fields["message"] === "done");
  await child.exit;
  assert.deepEqual(child.lines[0]?.fields, {});
  assert.equal((await child.waitForLine(({ text }) => text === "text")).text, "text");
});

Deno.test("Child.waitForLine() rejects with the last lines when the child ends without the line", async () => {
  await using child = shell("echo last words >&2; exit 3");
  await assert.rejects(
    child.waitForLine(() => false),
    /sh ended without the expected line \(exit 3\); its last lines:\n {2}last words/,
  );
});

Deno.test("Child.waitForLine() rejects when its time is over", async () => {
  await using child = shell("exec sleep 60");
  await assert.rejects(child.waitForLine(() => true, 20), /did not write the expected line in 20 ms/);
});

Deno.test("startChild() gives the child nothing of our environment but what it is told", async () => {
  Deno.env.set("KAFKA_BROKERS", "not for children");
  await using child = shell("env");
  Deno.env.delete("KAFKA_BROKERS");
  await child.exit;
  const names = child.lines.map(({ text }) => text.split("=")[0] ?? "");
  const shellsOwn = ["PWD", "OLDPWD", "SHLVL", "_"];
  assert.deepEqual(names.filter((name) => ![...INHERITED, ...shellsOwn].includes(name)), ["GREETING"]);
});

Deno.test("Child.end() resolves to how the signal ended the child, and may be called twice", async () => {
  await using child = shell("exec sleep 60");
  assert.equal((await child.end("SIGTERM")).signal, "SIGTERM");
  assert.equal((await child.end("SIGTERM")).signal, "SIGTERM");
});

Deno.test("Child.end() rejects while the child ignores the signal", async () => {
  await using child = shell("trap '' TERM; echo ready; while :; do sleep 1; done");
  await child.waitForLine(({ text }) => text === "ready");
  await assert.rejects(child.end("SIGTERM", 50), /sh still ran 50 ms after SIGTERM/);
});

Deno.test("a Child that is disposed of is gone", async () => {
  let pid = 0;
  {
    await using child = shell("trap '' TERM INT; echo ready; exec sleep 60");
    await child.waitForLine(({ text }) => text === "ready");
    pid = child.pid;
    assert.ok(runs(pid));
  }
  assert.ok(!runs(pid));
});

Deno.test("a Child's exit does not wait for a process that the child left behind with its output", async () => {
  await using child = shell("sleep 5 & echo $!");
  const { text } = await child.waitForLine((line) => /^\d+$/.test(line.text));
  assert.equal((await child.exit).code, 0);
  assert.ok(runs(Number(text)));
  Deno.kill(Number(text), "SIGKILL");
});

Deno.test("a Child ends when the process that started it is killed with -9", async () => {
  const module = new URL("../../../support/processes/process.ts", import.meta.url).href;
  const code = `import { startChild } from "${module}";
    console.log(startChild({ name: "sleep", command: "sleep", args: ["60"] }).pid);`;
  await using parent = startChild({ name: "parent", command: Deno.execPath(), args: ["eval", code] });
  const { text } = await parent.waitForLine((line) => /^\d+$/.test(line.text));
  await until("a running grandchild", () => runs(Number(text)));
  await parent.end("SIGKILL");
  await until("the end of the grandchild", () => !runs(Number(text)));
});
