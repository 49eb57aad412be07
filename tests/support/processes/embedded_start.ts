// `deno task start` under test: on free ports, in a home of its own, its processes recognised by a mark in their environment.

import { freePorts } from "../ports.ts";
import { type Child, startChild } from "./process.ts";

const ROOT = new URL("../../../", import.meta.url).pathname;
const MARK = "ACKPOOL_TEST_MARK";

/** A `start` and how to reach it. */
export interface StartedStart {
  readonly child: Child;
  readonly ingress: string;
  readonly admin: string;
  readonly env: Readonly<Record<string, string>>;
  /** Processes that belong to it and live; Linux only, elsewhere always none. */
  readonly processes: () => { readonly pid: number; readonly command: string }[];
}

/** Starts it without waiting for anything. */
export function runStart(
  home: string,
  env: Readonly<Record<string, string>> = {},
  flags: readonly string[] = [],
): StartedStart {
  const [port = 0, adminPort = 0] = freePorts(2);
  const mark = crypto.randomUUID();
  const all = { PORT: String(port), ADMIN_PORT: String(adminPort), NO_COLOR: "1", [MARK]: mark, ...env };
  const child = startChild({
    name: "start",
    command: Deno.execPath(),
    args: ["run", "-A", `${ROOT}local/start.ts`, "--home", home, ...flags],
    env: all,
  });
  return {
    child,
    ingress: `http://127.0.0.1:${port}`,
    admin: `http://127.0.0.1:${adminPort}`,
    env: all,
    processes: () => processesWith(`${MARK}=${mark}`),
  };
}

function processesWith(mark: string) {
  if (Deno.build.os !== "linux") return [];
  return Array.from(Deno.readDirSync("/proc"), ({ name }) => Number(name)).filter(Number.isInteger).flatMap((
    pid,
  ) =>
    readOrNothing(`/proc/${pid}/environ`).includes(mark)
      ? [{ pid, command: readOrNothing(`/proc/${pid}/cmdline`).replaceAll("\0", " ") }]
      : []
  );
}

/** A process that ends between the look at the folder and the look at it has nothing to say. */
function readOrNothing(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}
