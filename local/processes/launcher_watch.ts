// A watch on ./ackpool, preloaded into what it starts: descriptor 3 is a pipe that it holds, as standard input is the user's.

import { endWithPipe } from "./end_with_pipe.ts";

endWithPipe(3);

// Node gives its children the default for SIGHUP, also where nohup had it ignored.
const onTerminal = [Deno.stdin, Deno.stdout, Deno.stderr].some((stream) => stream.isTerminal());
if (!onTerminal) Deno.addSignalListener("SIGHUP", () => {});
