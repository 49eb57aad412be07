// `deno task fuzz:api`: schemathesis with all its checks against a running worker on real PostgreSQL. It is installed
// from PyPI into `.ackpool/` on the first run and needs python3.

import { flagsOf } from "../../support/test_command.ts";
import postgres from "postgres";
import { startTask } from "../../chaos/stage/tasks.ts";
import { freePort } from "../../support/ports.ts";
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
  /** Calls go through an ingress. */
  ingress: { type: "boolean", default: false },
  /** Worker and ingress ask for tokens, and the calls have one that may do everything a person may. */
  tokens: { type: "boolean", default: false },
});
/** A bigint column cannot hold every id that the document allows: 422 is right then, and this check takes it for wrong. */
const EXCEPT = values.ids === "text" ? [] : ["--exclude-checks", "positive_data_acceptance"];

const TOKEN = "peoples-token-9c1f";
const TOKENS: Readonly<Record<string, string>> = values.tokens
  ? { WORKER_TOKEN: "deliveries-token-04be", INGRESS_TOKEN: `classify+read+override:${TOKEN}` }
  : {};
const LOGIN = values.tokens ? ["-H", `Authorization: Bearer ${TOKEN}`] : [];

async function startIngress(workerUrl: string) {
  const port = freePort();
  const child = startTask("ingress", "ingress", {
    PORT: String(port),
    WORKER_URL: workerUrl,
    WORKER_CONCURRENCY: "64",
    INGRESS_RATE_PER_MINUTE: "1000000",
    LOG_FORMAT: "json",
    ...TOKENS,
  });
  await child.waitForLine(({ fields }) => fields["message"] === "listening");
  const end = () => child[Symbol.asyncDispose]();
  return { url: `http://127.0.0.1:${port}`, child, [Symbol.asyncDispose]: end };
}

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
    ...TOKENS,
  });
  await using ingress = values.ingress ? await startIngress(worker.url) : undefined;
  const document = `${ingress?.url ?? worker.url}/openapi.json`;
  const { examples, seed } = values;
  const fuzz = [
    "run",
    document,
    "--checks",
    "all",
    ...EXCEPT,
    "-n",
    examples,
    "--seed",
    seed,
    "--no-color",
    ...LOGIN,
  ];
  const code = await run(`${FOLDER}/bin/schemathesis`, ...fuzz);
  await llm.stop();
  const crashes = [...worker.child.lines, ...ingress?.child.lines ?? []].filter(({ fields }) =>
    fields.message === "crashed"
  );
  for (const { text } of crashes) say(text);
  return crashes.length > 0 ? 1 : code;
}

Deno.exit(await main());
