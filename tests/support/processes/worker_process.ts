// A worker as a process of its own, started as its users start it: with the task's permissions and its environment alone.

import deno from "../../../deno.json" with { type: "json" };
import { commandOf } from "../../../shared/deno_task.ts";
import type { Child } from "./process.ts";
import { startChild } from "./process.ts";

/** A worker that listens. */
export interface WorkerProcess extends AsyncDisposable {
  readonly url: string;
  readonly child: Child;
  /** POST /classify; `offset` gives the request the key of a record. */
  readonly classify: (ticket: unknown, offset?: number) => Promise<Response>;
}

/** The task's own words, so that its permissions are the ones under test. */
const [, ...TASK] = commandOf(deno.tasks.worker)?.split(" ") ?? [];

/** Starts what `deno task worker` starts, without waiting for anything. */
export function startWorkerChild(env: Readonly<Record<string, string>>): Child {
  return startChild({
    name: "worker",
    command: Deno.execPath(),
    args: TASK,
    cwd: new URL("../../../", import.meta.url).pathname,
    env: { PORT: "0", LOG_FORMAT: "json", ...env },
  });
}

/** Starts one and waits until it listens. */
export async function startWorker(env: Readonly<Record<string, string>>): Promise<WorkerProcess> {
  const child = startWorkerChild(env);
  const { fields } = await child.waitForLine((line) => line.fields.message === "listening");
  const url = `http://127.0.0.1:${fields.port}`;
  return {
    url,
    child,
    classify: (ticket, offset) =>
      fetch(`${url}/classify`, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          ...(offset === undefined
            ? {}
            : { "idempotency-key": `"support-tickets/0/${offset}"`, "ackpool-timestamp": "1000" }),
        },
        body: JSON.stringify(ticket),
      }),
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}
