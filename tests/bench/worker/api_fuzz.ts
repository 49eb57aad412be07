// `deno task fuzz:api`: schemathesis with all its checks against a running worker on real PostgreSQL. It is installed
// from PyPI into `.ackpool/` on the first run and needs python3.

import { flagsOf } from "../../support/test_command.ts";
import postgres from "postgres";
import { startChild } from "../../support/processes/process.ts";
import { RealPostgres } from "../../support/postgres/real_postgres.ts";
import { startStubLlm } from "../../support/workers/stub_llm.ts";
import { startWorker } from "../../support/processes/worker_process.ts";
import { migrate, readMigrations } from "../../../worker/db/schema/migrate.ts";
import { testDatabase } from "../../support/postgres/store_harness.ts";
import { say } from "../stage.ts";

const VERSION = "4.32.5";
const KEPT = new URL("../../../.ackpool", import.meta.url).pathname;
const FOLDER = `${KEPT}/schemathesis`;
const TABLE = {
  name: "cases",
  idColumn: "id",
  categoryColumn: "category",
  classifiedAtColumn: "classified_at",
};

const values = flagsOf("fuzz:api", "schemathesis with all its checks against a worker on real PostgreSQL.", {
  examples: { type: "string", default: "100" },
  seed: { type: "string", default: "1" },
  /** A column of type text can hold every id that the document allows. */
  ids: { type: "string", default: "text" },
});
/** A bigint column cannot hold every id that the document allows: 422 is right then, and this check takes it for wrong. */
const EXCEPT = values.ids === "text" ? [] : ["--exclude-checks", "positive_data_acceptance"];

async function run(command: string, ...args: readonly string[]): Promise<number> {
  // What it leaves behind stays out of the project.
  await using child = startChild({ name: command, command, args, cwd: KEPT });
  child.onLine(({ text }) => say(text));
  return (await child.exit).code;
}

async function install(): Promise<void> {
  const installed = await Deno.stat(`${FOLDER}/bin/schemathesis`).then(() => true, () => false);
  if (installed) return;
  const steps = [
    await run("python3", "-m", "venv", FOLDER),
    await run(`${FOLDER}/bin/pip`, "install", "--quiet", `schemathesis==${VERSION}`),
  ];
  if (steps.some((code) => code !== 0)) throw new Error("schemathesis could not be installed from PyPI");
}

async function main(): Promise<number> {
  await Deno.mkdir(KEPT, { recursive: true });
  await install();
  await using database = await RealPostgres.start();
  const sql = postgres(database.url, { max: 1 });
  const type = sql.unsafe(values.ids);
  await sql`create table cases (id ${type} primary key, category text, classified_at timestamptz)`;
  await sql`insert into cases (id) select g::${type} from generate_series(0, 1000) g`;
  await sql.end();
  const admin = testDatabase(database.url, 1);
  await migrate(admin, await readMigrations(), TABLE);
  await admin.close();
  const llm = startStubLlm();
  await using worker = await startWorker({
    DATABASE_URL: database.url,
    TICKETS_TABLE: TABLE.name,
    OPENAI_BASE_URL: llm.baseUrl,
    WORKER_CONCURRENCY: "64",
  });
  const document = `${worker.url}/openapi.json`;
  const { examples, seed } = values;
  const fuzz = ["run", document, "--checks", "all", ...EXCEPT, "-n", examples, "--seed", seed, "--no-color"];
  const code = await run(`${FOLDER}/bin/schemathesis`, ...fuzz);
  await llm.stop();
  const crashes = worker.child.lines.filter(({ fields }) => fields.message === "crashed");
  for (const { text } of crashes) say(text);
  return crashes.length > 0 ? 1 : code;
}

Deno.exit(await main());
