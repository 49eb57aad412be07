// `deno task test [FILE…]`: all tests that need nothing but this machine, a few processes at a time; or the files one names.

import { runSideBySide, summary, type TestJob } from "./support/side_by_side.ts";
import { flagsOf, INTERRUPTED, interruption, show } from "./support/test_command.ts";

const FLAGS = ["-A", "--quiet"];
/** Most tests wait for a broker most of the time, so more of them than processors run at once. */
const LANES = 4;

async function runNamed(files: readonly string[]): Promise<number> {
  const child = new Deno.Command(Deno.execPath(), { args: ["test", ...FLAGS, ...files] }).spawn();
  return (await child.status).code;
}

/** The longest first, so that no lane is left with it at the end. */
function allJobs(): TestJob[] {
  const whole = (folder: string) => ({ name: folder, paths: [folder] });
  const files = [...Deno.readDirSync("tests/integration")].map(({ name }) => `tests/integration/${name}`)
    .sort();
  return [whole("tests/simulation"), whole("tests/unit"), ...files.map(whole), whole("tests/contract")];
}

async function runAll(): Promise<number> {
  const startedMs = performance.now();
  const interrupted = interruption();
  const jobs = allJobs();
  show(`${jobs.length} groups of tests, ${LANES} at a time; each is shown when it has ended\n`);
  const totals = await runSideBySide(jobs, {
    lanes: LANES,
    // Types are checked once, by `deno check`: every process would check them all again.
    flags: [...FLAGS, "--no-check"],
    interrupted,
    show,
  });
  if (interrupted.aborted) return INTERRUPTED;
  const [text, good] = summary(totals, performance.now() - startedMs);
  show(text);
  return good ? 0 : 1;
}

flagsOf("test", "All tests that need nothing but this machine, or the files one names.", {}, true);
Deno.exit(Deno.args.length > 0 ? await runNamed(Deno.args) : await runAll());
