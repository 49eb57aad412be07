// How produce finds a running start.

import assert from "node:assert/strict";
import { readRun, removeRun, type Run, writeRun } from "../../../shared/run_file.ts";
import { TemporaryFolder } from "../../support/temporary_folder.ts";

const RUN: Run = {
  pid: Deno.pid,
  brokers: "127.0.0.1:1",
  topic: "support-tickets",
  groupId: "g",
  ingressPort: 8000,
  adminPort: 8080,
};

Deno.test("readRun() finds what a running start has written, until it removes it", async () => {
  await using folder = await TemporaryFolder.make("ackpool-run-");
  const home = `${folder.path}/new`;
  assert.equal(await readRun(home), undefined);
  await writeRun(home, RUN);
  assert.deepEqual(await readRun(home), RUN);
  await removeRun(home);
  await removeRun(home);
  assert.equal(await readRun(home), undefined);
});

Deno.test("readRun() takes neither a killed start nor a damaged file for a running one", async () => {
  await using folder = await TemporaryFolder.make("ackpool-run-");
  const ended = new Deno.Command(Deno.execPath(), { args: ["--version"], stdout: "null" }).spawn();
  await ended.status;
  await writeRun(folder.path, { ...RUN, pid: ended.pid });
  assert.equal(await readRun(folder.path), undefined);
  await Deno.writeTextFile(`${folder.path}/run.json`, '{"pid":');
  assert.equal(await readRun(folder.path), undefined);
});
