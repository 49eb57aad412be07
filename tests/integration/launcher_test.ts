// ./ackpool as a process: what it passes on, and that what it started ends with it and with nothing else.

import assert from "node:assert/strict";
import { projectPath } from "../../local/project.ts";

const ACKPOOL = projectPath("ackpool");
const LIMIT_MS = 20_000;
const TALKS_TO_NOBODY = { WORKER_URL: "http://127.0.0.1:1", LISTEN_ADDRESS: "127.0.0.1" };

Deno.test("./ackpool passes arguments, streams and exit codes on, without a line of its own", async () => {
  const unknown = await output(["lgg"]);
  assert.deepEqual(unknown, {
    code: 2,
    stdout: "",
    stderr: "ackpool: There is no lgg: do you mean lag?\nackpool: ./ackpool --help shows what it takes\n",
  });
  const lag = await output(["lag"]);
  assert.deepEqual(lag, {
    code: 1,
    stdout: "",
    stderr: "ackpool: No Kafka is known: run `./ackpool start` beside this, or set KAFKA_BROKERS.\n",
  });
});

Deno.test("./ackpool completes commands and flags", async () => {
  const { stdout } = await output(["complete", "--", "lag", "--w"]);
  assert.match(stdout, /^--watch\t/);
});

Deno.test("a signal to ./ackpool is the program's, and so is its exit code", async () => {
  await using ingress = await startIngress();
  ingress.process.kill("SIGTERM");
  assert.equal((await ingress.process.status).code, 0);
  await ingress.gone();
});

Deno.test("a killed ./ackpool takes the program with it", async () => {
  await using ingress = await startIngress();
  ingress.process.kill("SIGKILL");
  await ingress.process.status;
  await ingress.gone();
});

Deno.test("nohup ./ackpool outlives a hang-up, and whoever started it", async () => {
  await using ingress = await startIngress([
    "bash",
    "-c",
    `nohup "$0" ingress </dev/null & sleep 0.1; exec sleep 0.1`,
  ]);
  // Its shell is gone.
  await ingress.process.status;
  for (const pid of await processes(ingress.port)) Deno.kill(pid, "SIGHUP");
  await new Promise((resolve) => setTimeout(resolve, 1500));
  assert.equal((await processes(ingress.port)).length, 2);
});

Deno.test("what npx started ends when npx is ended, though npm passes nothing on", async () => {
  // npm starts a shell, which starts Deno, and ends its shell alone.
  const deno = `"${Deno.execPath()}" run -A "${ACKPOOL}" ingress`;
  const sh = `sh -c '${deno}; :' & trap "kill -9 $!; exit" TERM; wait`;
  await using ingress = await startIngress([
    "bash",
    "-c",
    `exec -a "npm exec deno task" bash -c '${sh.replaceAll("'", `'\\''`)}'`,
  ]);
  ingress.process.kill("SIGTERM");
  await ingress.process.status;
  await ingress.gone();
});

async function output(args: readonly string[]) {
  const { code, stdout, stderr } = await new Deno.Command("node", {
    args: [ACKPOOL, ...args],
    cwd: projectPath(""),
    clearEnv: true,
    env: environment(),
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

function environment(): Record<string, string> {
  return { NO_COLOR: "1", PATH: Deno.env.get("PATH") ?? "", HOME: Deno.env.get("HOME") ?? "" };
}

/** The ingress is the lightest program that runs until it is stopped. */
async function startIngress([command = "node", ...args]: readonly string[] = ["node"]) {
  using listener = Deno.listen({ port: 0 });
  const { port } = listener.addr;
  listener.close();
  const process = new Deno.Command(command, {
    args: command === "node" ? [ACKPOOL, "ingress"] : [...args, ACKPOOL],
    cwd: projectPath(""),
    // A process is found by its environment.
    clearEnv: true,
    env: { ...environment(), ...TALKS_TO_NOBODY, PORT: String(port), ACKPOOL_TEST_RUN: String(port) },
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  await until(async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/livez`).catch(() => undefined);
    await answer?.body?.cancel();
    return answer?.ok === true;
  });
  return {
    process,
    port,
    gone: () => until(async () => (await processes(port)).length === 0),
    async [Symbol.asyncDispose]() {
      for (const pid of await processes(port)) Deno.kill(pid, "SIGKILL");
      await process.status;
    },
  };
}

/** Node and Deno of one run. */
async function processes(run: number): Promise<readonly number[]> {
  const pids: number[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const [environ, args] = await Promise.all(
      ["environ", "cmdline"].map((file) => Deno.readTextFile(`/proc/${name}/${file}`).catch(() => "")),
    );
    if (environ?.includes(`ACKPOOL_TEST_RUN=${run}\0`) && /^[^\0]*(node|deno)\0/.test(args ?? "")) {
      pids.push(Number(name));
    }
  }
  return pids;
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + LIMIT_MS;
  while (!await condition()) {
    assert.ok(performance.now() < deadline, "it took too long");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
