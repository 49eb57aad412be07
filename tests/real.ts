// `deno task test:real [FILE…]`: the integration and contract tests against real Kafka 4.1 and real PostgreSQL,
// which it installs and starts itself and ends again, whatever happens.

import { RealKafka } from "./support/kafka/real_kafka.ts";
import { RealPostgres } from "./support/postgres/real_postgres.ts";
import { runSideBySide, summary } from "./support/side_by_side.ts";
import { serviceTests } from "./support/service_tests.ts";
import { flagsOf, INTERRUPTED, interruption, show } from "./support/test_command.ts";
import { TemporaryFolder } from "./support/temporary_folder.ts";

/** Clusters of several brokers need a processor each while they start, so fewer lanes than `test` has. */
const LANES = 3;
const startedMs = performance.now();

function report(what: string): void {
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  show(`test:real ${seconds.padStart(6)} s  ${what}\n`);
}

/** Runs the tests with the addresses of both services in their environment; resolves to the exit code. */
async function runTests(env: Readonly<Record<string, string>>, interrupted: AbortSignal): Promise<number> {
  const jobs = (await chosenFiles()).map((path) => ({ name: path, paths: [path] }));
  const totals = await runSideBySide(jobs, {
    lanes: LANES,
    // Types are checked once, by `deno check`: every process would check them all again.
    flags: ["-A", "--no-check"],
    env,
    // Whatever ends this process ends them.
    runBy: ["setpriv", "--pdeathsig", "TERM"],
    interrupted,
    show,
  });
  const [text, good] = summary(totals, performance.now() - startedMs);
  show(text);
  return good ? 0 : 1;
}

/** The files named on the command line, or every test that real services make a difference to. */
async function chosenFiles(): Promise<readonly string[]> {
  if (Deno.args.length > 0) return Deno.args;
  const { using, others } = await serviceTests(["tests/contract", "tests/integration"]);
  report(
    `${using.length} files use Kafka or PostgreSQL; ${others.length} that use neither are left to \`test\``,
  );
  const real = [...Deno.readDirSync("tests/real")].map(({ name }) => `tests/real/${name}`);
  return [...real.sort(), ...using];
}

async function main(): Promise<number> {
  const interrupted = interruption();
  report("starting PostgreSQL");
  await using database = await RealPostgres.start({ report: report });
  report("starting Kafka");
  await using kafka = await RealKafka.start({ report: report });
  if (interrupted.aborted) return INTERRUPTED;
  report(`running the tests with KAFKA_BROKERS_TEST=${kafka.brokers} DATABASE_URL_TEST=${database.url}`);
  // Tests that were interrupted leave nothing outside it. PostgreSQL runs as another user, hence the mode.
  await using temporary = await TemporaryFolder.make("ackpool-real-");
  await Deno.chmod(temporary.path, 0o755);
  const addresses = {
    KAFKA_BROKERS_TEST: kafka.brokers,
    DATABASE_URL_TEST: database.url,
    KAFKA_LOGS_TEST: `${kafka.folder}/data`,
  };
  const code = await runTests({ ...addresses, TMPDIR: temporary.path }, interrupted);
  report("stopping Kafka and PostgreSQL");
  return interrupted.aborted ? INTERRUPTED : code;
}

flagsOf("test:real", "Tests on real Kafka and PostgreSQL, or those of the files one names.", {}, true);
const code = await main().catch((error: unknown) => {
  report(error instanceof Error ? error.message : String(error));
  return 1;
});
report(code === 0 ? "passed" : code === INTERRUPTED ? "interrupted" : `failed (exit ${code})`);
Deno.exit(code);
