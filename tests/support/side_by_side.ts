// Runs test files in processes of their own, a few at a time: most of their time they wait for a broker, not for a processor.

/** What one `deno test` is given. */
export interface TestJob {
  readonly name: string;
  readonly paths: readonly string[];
}

/** How a run of jobs came out. */
export interface TestTotals {
  readonly passed: number;
  readonly steps: number;
  readonly failed: number;
  /** Jobs that ended badly without a failed test: a file that does not load, say. */
  readonly broken: readonly string[];
}

/** What a run needs. */
export interface SideBySide {
  /** Jobs at once. */
  readonly lanes: number;
  /** Arguments of `deno test` before the paths. */
  readonly flags: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** A command that each `deno test` is run by. */
  readonly runBy?: readonly string[];
  readonly interrupted: AbortSignal;
  /** Called with all that a job printed, once it has ended. */
  readonly show: (text: string) => void;
}

const ANSWER = /^(?:ok|FAILED) \| (\d+) passed(?: \((\d+) steps?\))? \| (\d+) failed/;

/** Runs all jobs. What each printed is shown in one piece, without its own last line. */
export async function runSideBySide(jobs: readonly TestJob[], how: SideBySide): Promise<TestTotals> {
  const waiting = [...jobs];
  const broken: string[] = [];
  let [passed, steps, failed] = [0, 0, 0];
  const lane = async () => {
    for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) {
      if (how.interrupted.aborted) return;
      const startedMs = performance.now();
      const { text, success } = await runJob(job, how);
      const counts = readCounts(text);
      passed += counts.passed;
      steps += counts.steps;
      failed += counts.failed;
      if (!success && counts.failed === 0) broken.push(job.name);
      const seconds = Math.round((performance.now() - startedMs) / 1000);
      how.show(`--- ${job.name}: ${success ? "ok" : "FAILED"} (${seconds}s)\n${counts.rest}\n`);
    }
  };
  await Promise.all(Array.from({ length: how.lanes }, lane));
  return { passed, steps, failed, broken };
}

async function runJob({ paths }: TestJob, how: SideBySide): Promise<{ text: string; success: boolean }> {
  const [command = Deno.execPath(), ...args] = [
    ...how.runBy ?? [],
    Deno.execPath(),
    "test",
    ...how.flags,
    ...paths,
  ];
  const child = new Deno.Command(command, {
    args,
    env: { ...how.env, NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const stop = () => child.kill("SIGINT");
  how.interrupted.addEventListener("abort", stop);
  try {
    const [out, error, { success }] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.status,
    ]);
    return { text: out + error, success };
  } finally {
    how.interrupted.removeEventListener("abort", stop);
  }
}

/** What `deno test` would say at the end of all of it, and whether that is good. */
export function summary({ passed, steps, failed, broken }: TestTotals, tookMs: number): [string, boolean] {
  const good = failed + broken.length === 0;
  const unrun = broken.map((name) => `${name} could not be run\n`).join("");
  const seconds = Math.round(tookMs / 1000);
  return [
    `\n${unrun}${
      good ? "ok" : "FAILED"
    } | ${passed} passed (${steps} steps) | ${failed} failed (${seconds}s)\n`,
    good,
  ];
}

/** The numbers in the last line of `deno test`, and all the other lines. */
export function readCounts(text: string): { passed: number; steps: number; failed: number; rest: string } {
  const lines = text.split("\n");
  const sums = { passed: 0, steps: 0, failed: 0 };
  const rest = lines.filter((line) => {
    const answer = ANSWER.exec(line);
    if (answer === null) return true;
    sums.passed += Number(answer[1]);
    sums.steps += Number(answer[2] ?? 0);
    sums.failed += Number(answer[3]);
    return false;
  });
  return { ...sums, rest: rest.join("\n").trim() };
}
