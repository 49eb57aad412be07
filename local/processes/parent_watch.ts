// A watch on `start`, preloaded into its children: their standard input is a pipe that it holds.

import { endWithPipe } from "./end_with_pipe.ts";

endWithPipe(0);
