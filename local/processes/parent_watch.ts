// A watch on the parent process: when the parent is gone, this process is asked to stop, then ended.
//
// Children load it with `deno run --preload`, and the parent pipes their standard input: that pipe ends however the
// parent dies, SIGKILL included. The program of the child does not know about it.

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

// A socket, because Deno.stdin cannot be unreferenced: a child that is done must still end by itself.
const lifeline = new Socket({ fd: 0, readable: true, writable: false });
let gone = false;
for (const event of ["end", "error", "close"]) {
  lifeline.on(event, () => {
    if (!gone) parentIsGone();
    gone = true;
  });
}
lifeline.resume();
lifeline.unref();
