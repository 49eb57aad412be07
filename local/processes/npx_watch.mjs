// A watch on npx: npm asked to end leaves what it started running, so what was started through it ends by itself.
// @ts-check
//
// `npx -y deno task start` is npm → sh → deno task → us. SIGTERM to npm ends npm and sh; nothing is passed on.

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import process from "node:process";

const EVERY_MS = 1000;
/** Between npm and us there are at most a shell, a wrapper of the deno package, `deno task` and a launcher. */
const LONGEST = 6;

/** @typedef {{ readonly pid: number, readonly parent: number, readonly args: string }} Ancestor */

/**
 * Calls back once when the npm that this process was started through is gone. Does nothing where there is none, so that
 * what a shell, nohup or a container started goes on for ever.
 *
 * @param {() => void} gone
 */
export function whenNpxEnds(gone) {
  const chain = chainToNpm(process.ppid, describe);
  if (chain.length === 0) return;
  const timer = setInterval(() => {
    if (chain.every(isThere)) return;
    clearInterval(timer);
    gone();
  }, EVERY_MS);
  timer.unref();
}

/**
 * The ancestors from `pid` up to npm; none where npm is not among them.
 *
 * @param {number} pid
 * @param {(pid: number) => Ancestor | undefined} look
 * @returns {readonly Ancestor[]}
 */
export function chainToNpm(pid, look) {
  const chain = [];
  while (pid > 1 && chain.length < LONGEST) {
    const one = look(pid);
    if (one === undefined) return [];
    chain.push(one);
    if (/^(npm|npx)\b|\b(npm|npx)-cli\.js\b/.test(one.args)) return chain;
    if (!/^(\S*\/)?(sh|bash|dash|node|deno)\b/.test(one.args)) return [];
    pid = one.parent;
  }
  return [];
}

/**
 * Whether it is still the same process; npm's own parent may change, as with nohup.
 *
 * @param {Ancestor} ancestor
 * @param {number} at
 * @param {readonly Ancestor[]} chain
 */
function isThere({ pid, parent, args }, at, chain) {
  const now = describe(pid);
  return now?.args === args && (now.parent === parent || at === chain.length - 1);
}

/**
 * @param {number} pid
 * @returns {Ancestor | undefined}
 */
function describe(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const args = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
    // The name in brackets may have any characters.
    return { pid, parent: Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]), args };
  } catch {
    return process.platform === "linux" ? undefined : describeByPs(pid);
  }
}

/**
 * @param {number} pid
 * @returns {Ancestor | undefined}
 */
function describeByPs(pid) {
  const { stdout } = spawnSync("ps", ["-o", "ppid=,args=", "-p", String(pid)], { encoding: "utf8" });
  const [, parent, args] = /^\s*(\d+)\s+(.*)$/m.exec(stdout ?? "") ?? [];
  return args === undefined ? undefined : { pid, parent: Number(parent), args };
}
