// `deno task produce` against the embedded parts, as a user runs it.

import assert from "node:assert/strict";
import postgres from "postgres";
import { createKafka } from "../../consumer/kafka/client/client.ts";
import { TopicProgress } from "../../local/produce/topic_progress.ts";
import { type Run, writeRun } from "../../shared/run_file.ts";
import { migrate, readMigrations } from "../../worker/db/schema/migrate.ts";
import { DEFAULT_TICKETS_TABLE } from "../../worker/db/tickets_table.ts";
import { testDatabase } from "../support/postgres/store_harness.ts";
import { embeddedKafka } from "../support/kafka/embedded_kafka.ts";
import { embeddedPostgres } from "../support/postgres/embedded_postgres.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";
import { until } from "../support/until.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const GROUP = "readers";
const TOPIC = "support-tickets";

interface Produced {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function produce(
  args: readonly string[],
  env: Record<string, string> = {},
  stdin = "",
): Promise<Produced> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", `${ROOT}local/produce.ts`, ...args],
    env: { NO_COLOR: "1", KAFKA_BROKERS: "", DATABASE_URL: "", ...env },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(stdin)).catch(() => {});
  await writer.close().catch(() => {});
  const { code, stdout, stderr } = await child.output();
  return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
}

const running = (addresses: Pick<Run, "brokers" | "databaseUrl">): Run => ({
  pid: Deno.pid,
  ...addresses,
  topic: TOPIC,
  groupId: GROUP,
  ingressPort: 1,
  adminPort: 1,
});

const clientOf = (brokers: string) =>
  createKafka({ brokers: [brokers], clientId: "test", tls: undefined, sasl: undefined });

async function recordsIn(brokers: string): Promise<number> {
  const progress = new TopicProgress(clientOf(brokers), TOPIC, GROUP);
  const ends = await progress.ends();
  await progress.close();
  return Number([...ends.values()].reduce((sum, end) => sum + end));
}

Deno.test("deno task produce finds the embedded parts of a running start, and tells bad lines by their number", async () => {
  await using home = await TemporaryFolder.make("ackpool-produce-");
  await using kafka = await embeddedKafka([TOPIC]);
  await using database = await embeddedPostgres();
  const sql = postgres(database.url, { max: 1 });
  await sql`create table tickets (id bigint primary key, subject text, body text, category text)`;
  await sql`insert into tickets values (2, 'old', 'old', null)`;
  await writeRun(home.path, running({ brokers: kafka.brokers, databaseUrl: database.url }));
  const lines = [
    '{"ticket_id":1,"subject":"one","body":"b"}',
    "nonsense",
    "",
    '{"ticket_id":2,"subject":"two","body":"b"}',
    '{"ticket_id":"x","subject":"not a bigint","body":"b"}',
    '{"subject":"no id","body":"b"}',
  ].join("\n");
  const { code, stdout, stderr } = await produce(["-", "--insert", "--json", "--home", home.path], {}, lines);
  const { took_ms, bytes, ...summary } = JSON.parse(stdout);
  assert.deepEqual(summary, { topic: TOPIC, sent: 2, inserted: 1, bad: 3 });
  assert.ok(took_ms > 0 && bytes > 80);
  assert.match(stderr, /line 2: is not JSON\n/);
  assert.match(stderr, /line 5: ticket_id: the table's ids are whole numbers\n/);
  assert.match(stderr, /line 6: ticket_id: is missing/);
  assert.equal(code, 1);
  assert.equal(await recordsIn(kafka.brokers), 2);
  const rows = await sql<
    { id: string; subject: string }[]
  >`select id::text, subject from tickets order by id`;
  assert.deepEqual(rows.map(({ id, subject }) => `${id} ${subject}`), ["1 one", "2 old"]);
  await sql.end();
});

Deno.test("deno task produce without a file sends the samples, with their rows into the embedded Postgres", async () => {
  await using home = await TemporaryFolder.make("ackpool-produce-");
  await using kafka = await embeddedKafka([TOPIC]);
  await using database = await embeddedPostgres();
  const sql = postgres(database.url, { max: 1 });
  await sql`create table tickets (id bigint primary key, subject text, body text)`;
  await writeRun(home.path, running({ brokers: kafka.brokers, databaseUrl: database.url }));
  const { code, stdout, stderr } = await produce(["--home", home.path]);
  assert.equal(stderr, "");
  assert.match(stdout, /^20 of 20 tickets \(\d\.\d kB\) sent to support-tickets in .* s, 20 new rows\n$/);
  assert.equal(code, 0);
  assert.equal((await sql`select count(*)::int as n from tickets`)[0]?.["n"], 20);
  await sql.end();
});

Deno.test("deno task produce takes an export with ids like HD-00001, and sends again what has no label", async () => {
  await using home = await TemporaryFolder.make("ackpool-produce-");
  await using kafka = await embeddedKafka([TOPIC]);
  await using database = await embeddedPostgres();
  const admin = testDatabase(database.url, 1);
  await migrate(admin, await readMigrations(), DEFAULT_TICKETS_TABLE, "text");
  await admin.close();
  const sql = postgres(database.url, { max: 1 });
  await writeRun(home.path, running({ brokers: kafka.brokers, databaseUrl: database.url }));
  await Deno.writeTextFile(
    `${home.path}/export.csv`,
    'Ticket ID,Subject,Description\nHD-00001,a,"one, two"\nHD-00002,b,three\nHD-00003,c,four\n',
  );
  const sent = await produce([`${home.path}/export.csv`, "--insert", "--home", home.path]);
  assert.match(sent.stdout, /^3 of 3 tickets .*, 3 new rows\n$/, sent.stderr);
  assert.deepEqual([...await sql`select id, body from tickets order by id limit 1`], [
    { id: "HD-00001", body: "one, two" },
  ]);
  await sql`update tickets set category = 'billing' where id = 'HD-00002'`;
  await sql`insert into ackpool.fences (ticket_id, label_version, category) values ('HD-00002', 'old', 'billing')`;
  const unlabelled = await produce(["--unlabelled", "--home", home.path]);
  assert.match(unlabelled.stdout, /^2 of 2 tickets/, unlabelled.stderr);
  const outdated = await produce(["--unlabelled", "--outdated", "--home", home.path]);
  assert.match(outdated.stdout, /^3 of 3 tickets/, outdated.stderr);
  await sql`update ackpool.fences set override_category = 'bug'`;
  const overridden = await produce(["--unlabelled", "--outdated", "--home", home.path]);
  assert.match(overridden.stdout, /^2 of 2 tickets/, overridden.stderr);
  assert.equal(await recordsIn(kafka.brokers), 10);
  await sql.end();
});

Deno.test("deno task produce says in one line what is missing", async () => {
  await using home = await TemporaryFolder.make("ackpool-produce-");
  const nowhere = await produce(["--home", home.path]);
  assert.equal(
    nowhere.stderr,
    "ackpool: No Kafka to put tickets into: run `deno task start` beside this, or set KAFKA_BROKERS.\n",
  );
  const own = { KAFKA_BROKERS: "127.0.0.1:1" };
  const noDatabase = await produce(["-", "--insert", "--home", home.path], own);
  assert.match(noDatabase.stderr, /^ackpool: --insert needs a database: .*\n$/);
  const noFile = await produce([`${home.path}/none.jsonl`, "--home", home.path], own);
  assert.match(noFile.stderr, /^ackpool: .*none.jsonl cannot be read: .*\n$/);
  assert.deepEqual([nowhere.code, noDatabase.code, noFile.code], [1, 1, 1]);
});

Deno.test("deno task produce loses nothing of 42 MB in the embedded Kafka, which keeps 5 MiB a partition", async () => {
  await using home = await TemporaryFolder.make("ackpool-produce-");
  await using kafka = await embeddedKafka([TOPIC]);
  await writeRun(home.path, running({ brokers: kafka.brokers }));
  const tickets = 21_000;
  const file = `${home.path}/many.jsonl`;
  const body = "x".repeat(1950);
  await Deno.writeTextFile(
    file,
    Array.from({ length: tickets }, (_, id) => JSON.stringify({ ticket_id: id, subject: "s", body })).join(
      "\n",
    ),
  );
  const seen = new Set<string>();
  const reader = clientOf(kafka.brokers).consumer({ groupId: GROUP, maxWaitTimeInMs: 50 });
  await reader.connect();
  await reader.subscribe({ topic: TOPIC, fromBeginning: true });
  await reader.run({
    autoCommitInterval: 100,
    eachBatch: ({ batch }) => {
      for (const { key } of batch.messages) seen.add(String(key));
      return Promise.resolve();
    },
  });
  const { code, stdout } = await produce([file, "--json", "--home", home.path]);
  assert.equal(code, 0);
  assert.equal(JSON.parse(stdout).sent, tickets);
  assert.ok(JSON.parse(stdout).bytes > 42_000_000);
  await until("every ticket at the reader", () => seen.size === tickets);
  await reader.disconnect();
});
