// Which ancestors are watched.

import assert from "node:assert/strict";
import { chainToNpm } from "../../../../local/processes/npx_watch.mjs";

const PROCESSES = [
  { pid: 5, parent: 4, args: "deno task start" },
  { pid: 4, parent: 3, args: "sh -c 'deno' task start" },
  { pid: 3, parent: 2, args: "npm exec deno task start" },
  { pid: 2, parent: 1, args: "bash" },
  { pid: 9, parent: 2, args: "deno task start" },
  { pid: 12, parent: 11, args: "/usr/bin/node /work/ackpool start" },
  { pid: 11, parent: 1, args: "/usr/bin/supervisord" },
];
const look = (pid: number) => PROCESSES.find((each) => each.pid === pid);

Deno.test("chainToNpm() goes up to npm", () => {
  assert.deepEqual(chainToNpm(5, look).map(({ pid }) => pid), [5, 4, 3]);
});

Deno.test("chainToNpm() watches nobody where no npm started us", () => {
  for (const pid of [9, 12, 1, 77]) assert.deepEqual(chainToNpm(pid, look), []);
});
