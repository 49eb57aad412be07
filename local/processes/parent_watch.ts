// Ties a child process to its parent: when the parent is gone, however it died, the child is asked to stop, then made to.
//
// Children get it through `deno run --preload`, with their standard input piped from the parent: the end of that pipe
// is the one sign of a parent's death that even SIGKILL cannot withhold. What the child runs knows nothing of it.

import { Socket } from "node:net";

/** Time for a clean stop before the process is ended: less than a second `start` waits for the embedded Postgres. */
const STOP_LIMIT_MS = 5_000;

// A process may not signal itself without the right to signal anybody (`--allow-run`), so its handlers are called instead.
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

// A socket rather than Deno.stdin: it alone can be unreferenced, so that a child that is done still ends by itself.
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
