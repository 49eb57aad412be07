// The launcher behind ./ackpool: runs a task of deno.json as `deno task` would, with the task's own permissions.
// @ts-check
//
// Plain JavaScript, as Node runs it before there is a Deno. It passes on signals, exit codes and standard streams, and
// what it starts ends with it: the program holds the other end of a pipe (processes/launcher_watch.ts).

import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join, relative } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { whenNpxEnds } from "./processes/npx_watch.mjs";

/** The Deno that npx gets where none is on the path; the same as the image's, held by a test. */
export const DENO_VERSION = "2.9.6";
const ROOT = fileURLToPath(new URL("..", import.meta.url));
/** Shows help, completes, and names the nearest command: what is no task. */
const FRONT = ["run", "--allow-env", "--allow-read", "local/ackpool.ts"];
const SIGNALS = /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"]);

/**
 * Runs what the command line asks for and ends this process as the program ends.
 *
 * @param {readonly string[]} argv the command and its arguments.
 */
export function launch(argv) {
  const { cwd, args } = plan(argv);
  const deno = findDeno();
  if (deno === undefined) {
    process.stderr.write(
      `ackpool: There is no Deno, and npx could not get deno@${DENO_VERSION}. Is the network there?\n`,
    );
    process.exit(1);
  }
  if (!existsSync(join(ROOT, "node_modules"))) {
    process.stderr.write("ackpool: packages are installed first, this once …\n");
  }
  const child = spawn(deno, args, {
    cwd,
    env: { ...process.env, ACKPOOL_COMMAND: typedAs() },
    stdio: ["inherit", "inherit", "inherit", "pipe"],
  });
  for (const signal of SIGNALS) process.on(signal, () => passesOn(signal) && child.kill(signal));
  whenNpxEnds(() => child.kill("SIGTERM"));
  child.on("error", (error) => {
    process.stderr.write(`ackpool: ${deno} cannot be run: ${error.message}\n`);
    process.exit(1);
  });
  child.on("exit", (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    for (const each of SIGNALS) process.removeAllListeners(each);
    process.kill(process.pid, signal);
  });
}

/**
 * A closing terminal concerns what is on one. Node forgets that nohup had SIGHUP ignored.
 *
 * @param {string} signal
 */
function passesOn(signal) {
  return signal !== "SIGHUP" || [process.stdin, process.stdout, process.stderr].some(({ isTTY }) => isTTY);
}

/**
 * The arguments of `deno` for a command line, and the folder to run in.
 *
 * @param {readonly string[]} argv
 * @returns {{ cwd: string, args: string[] }}
 */
export function plan([name = "", ...rest]) {
  if (name === "help" && rest[0] !== undefined) return plan([rest[0], "--help"]);
  const { tasks } = JSON.parse(readFileSync(join(ROOT, "deno.json"), "utf8"));
  const task = Object.hasOwn(tasks, name) && name !== "ackpool" ? tasks[name] : undefined;
  if (task === undefined) {
    return { cwd: folder(), args: runArgs(FRONT, name === "" ? rest : [name, ...rest]) };
  }
  const command = expand(task.command ?? task);
  // What belongs to the project's own upkeep runs where it lies.
  const cwd = /^(TEST|MEASURE):/.test(task.description ?? "") ? ROOT : folder();
  const words = command.split(/\s+/);
  const file = words.findIndex((word) => word.endsWith(".ts"));
  if (words[0] !== "deno" || words[1] !== "run" || file < 0 || words.includes("&&")) {
    return { cwd: ROOT, args: ["task", "--quiet", name, ...rest] };
  }
  // What stands behind the file is an argument of the task's own.
  return { cwd, args: runArgs(words.slice(1, file + 1), [...words.slice(file + 1), ...rest]) };
}

/**
 * `deno run` with its flags; the program may read by which name it was called, and is told when we are gone.
 *
 * @param {readonly string[]} words `run`, flags, and the file.
 * @param {readonly string[]} rest
 */
function runArgs(words, rest) {
  const file = words.at(-1) ?? "";
  const flags = words.slice(1, -1);
  const all = flags.includes("-A") || flags.includes("--allow-env");
  return [
    "run",
    "--quiet",
    "--config",
    join(ROOT, "deno.json"),
    ...flags,
    ...(all ? [] : ["--allow-env=ACKPOOL_COMMAND"]),
    "--preload",
    join(ROOT, "local/processes/launcher_watch.ts"),
    join(ROOT, file),
    ...rest,
  ];
}

/**
 * `$(cat FILE)` becomes the words in that file, as in `deno task`.
 *
 * @param {string} command
 */
function expand(command) {
  return command.replace(
    /\$\(cat ([^)]+)\)/g,
    (_, /** @type {string} */ path) => readFileSync(join(ROOT, path), "utf8").trim().split(/\s+/).join(" "),
  );
}

/** Where the command was typed: `deno task` itself runs in the root. */
function folder() {
  return process.versions.deno !== undefined && process.env.INIT_CWD || process.cwd();
}

/** How this command line can be typed again. */
function typedAs() {
  if (process.versions.deno !== undefined) return "deno task ackpool";
  const path = join(relative(process.cwd(), ROOT), "ackpool");
  return path.includes("/") ? path : `./${path}`;
}

/** The running Deno, one on the path that is new enough, or the pinned one from npm. */
function findDeno() {
  if (process.versions.deno !== undefined) return process.execPath;
  const onPath = (process.env.PATH ?? "").split(delimiter).map((each) => join(each, "deno")).find(existsSync);
  if (onPath !== undefined && isNewEnough(onPath)) return onPath;
  return denoOfNpx();
}

/** @param {string} deno */
function isNewEnough(deno) {
  const { stdout } = spawnSync(deno, ["--version"], { encoding: "utf8" });
  const [major = 0, minor = 0] = /^deno (\d+)\.(\d+)/.exec(stdout ?? "")?.slice(1).map(Number) ?? [];
  const [ours = 0, least = 0] = DENO_VERSION.split(".").map(Number);
  return major === ours && minor >= least;
}

/** npx is asked once where its Deno lies, so that it does not stand between us and the program. */
function denoOfNpx() {
  const kept = join(ROOT, `.ackpool/cache/deno-${DENO_VERSION}`);
  const known = existsSync(kept) ? readFileSync(kept, "utf8") : "";
  if (known !== "" && existsSync(known)) return known;
  const found = spawnSync("npx", ["-y", `deno@${DENO_VERSION}`, "eval", "console.log(Deno.execPath())"], {
    encoding: "utf8",
    env: { ...process.env, npm_config_update_notifier: "false" },
    stdio: ["ignore", "pipe", "inherit"],
  }).stdout?.trim();
  if (!found) return undefined;
  mkdirSync(join(ROOT, ".ackpool/cache"), { recursive: true });
  writeFileSync(kept, found);
  return found;
}
