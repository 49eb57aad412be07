// endWithPipe(): when the other end of a pipe is gone, this process is asked to stop, then ended.
//
// The pipe ends however the process at its other end dies, SIGKILL included. The program does not know about it: a
// module that calls this is loaded before it with `deno run --preload`.

import { Socket } from "node:net";

/** Time for a clean stop before the process is ended: less than a second `start` waits for the embedded Postgres. */
const STOP_LIMIT_MS = 5_000;

// Signalling itself would need `--allow-run`, so the handlers are called instead.
const handlers = new Set<() => void>();
const addSignalListener = Deno.addSignalListener;
Deno.addSignalListener = (signal, handler) => {
  if (signal === "SIGTERM") handlers.add(handler as () => void);
  addSignalListener(signal, handler);
};

function parentIsGone(): void {
  if (handlers.size === 0) Deno.exit(1);
  Deno.unrefTimer(setTimeout(() => Deno.exit(1), STOP_LIMIT_MS));
  for (const handler of handlers) handler();
}

/** @param fd the file descriptor of the pipe that our parent holds the other end of. */
export function endWithPipe(fd: number): void {
  // A socket, because Deno.stdin cannot be unreferenced: a child that is done must still end by itself.
  const lifeline = new Socket({ fd, readable: true, writable: false });
  let gone = false;
  for (const event of ["end", "error", "close"]) {
    lifeline.on(event, () => {
      if (!gone) parentIsGone();
      gone = true;
    });
  }
  lifeline.resume();
  lifeline.unref();
}
