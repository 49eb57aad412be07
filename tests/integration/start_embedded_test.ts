// The embedded parts of `deno task start`, each as the process it is there.

import assert from "node:assert/strict";
import postgres from "postgres";
import { createKafka } from "../../consumer/kafka/client/client.ts";
import { TopicProducer } from "../../consumer/kafka/producers/topic_producer.ts";
import { TopicProgress } from "../../local/produce/topic_progress.ts";
import { Child } from "../../local/processes/child.ts";
import { openInMemory } from "../../local/embedded/postgres/in_memory.ts";
import { servePostgres } from "../../local/embedded/postgres/server.ts";
import { embeddedKafka } from "../support/kafka/embedded_kafka.ts";
import { embeddedPostgres } from "../support/postgres/embedded_postgres.ts";
import { TemporaryFolder } from "../support/temporary_folder.ts";
import { until } from "../support/until.ts";

const connect = (url: string, connectionsMax: number) =>
  postgres(url, { max: connectionsMax, onnotice: () => {} });

Deno.test("the embedded Kafka has its topics, with 4 partitions, and keeps what is sent", async () => {
  await using kafka = await embeddedKafka(["support-tickets", "support-tickets.g.dlq"]);
  const client = createKafka({ brokers: [kafka.brokers], clientId: "test", tls: undefined, sasl: undefined });
  const producer = new TopicProducer(client, "support-tickets");
  await producer.connect();
  await producer.send(Array.from({ length: 50 }, (_, i) => ({ key: String(i), value: "{}" })));
  const progress = new TopicProgress(client, "support-tickets", "g");
  const deadLetters = new TopicProgress(client, "support-tickets.g.dlq", "g");
  const ends = await progress.ends();
  assert.equal(ends.size, 4);
  assert.equal([...ends.values()].reduce((sum, end) => sum + end), 50n);
  assert.equal((await deadLetters.ends()).size, 4);
  assert.deepEqual([...(await progress.committed()).values()], [-1n, -1n, -1n, -1n]);
  await Promise.all([producer.close(), progress.close(), deadLetters.close()]);
});

Deno.test("clients of the embedded Postgres never get each other's answers", async () => {
  await using database = await embeddedPostgres();
  const sql = connect(database.url, 8);
  await sql`create table counts (id int primary key, v int)`;
  await Promise.all(Array.from({ length: 300 }, async (_, i) => {
    if (i % 7 === 0) {
      await sql.begin(async (tx) => {
        await tx`insert into counts values (${i}, 1)`;
        await tx`update counts set v = v + 1 where id = ${i}`;
      });
    } else if (i % 5 === 0) await assert.rejects(sql`select ${i}::int / 0`, /division by zero/);
    else assert.equal((await sql`select ${i}::int as x, ${"a"} as y`)[0]?.["x"], i);
  }));
  const [row] = await sql`select count(*)::int as n, sum(v)::int as v from counts`;
  assert.deepEqual({ ...row }, { n: 43, v: 86 });
  await sql.end();
});

Deno.test("a client of the embedded Postgres that leaves amid a transaction changes nothing and holds nobody up", async () => {
  await using database = await embeddedPostgres();
  const sql = connect(database.url, 1);
  await sql`create table t as select 1 as v`;
  const leaver = connect(database.url, 1);
  const changed = Promise.withResolvers<void>();
  const abandoned = leaver.begin(async (tx) => {
    await tx`update t set v = 2`;
    changed.resolve();
    await new Promise(() => {});
  });
  abandoned.catch(() => {});
  await changed.promise;
  const waiting = sql`select v from t`;
  await leaver.end({ timeout: 0 });
  assert.equal((await waiting)[0]?.["v"], 1);
  await assert.rejects(sql`copy t from stdin`.simple(), /COPY FROM STDIN is not possible/);
  assert.equal((await sql`select v from t`)[0]?.["v"], 1);
  await sql.end();
});

Deno.test("the embedded Postgres keeps what was committed when it is killed", async () => {
  await using home = await TemporaryFolder.make("ackpool-postgres-");
  const folder = `${home.path}/postgres`;
  const first = await embeddedPostgres(folder);
  const before = connect(first.url, 1);
  await before`create table t (v int)`;
  for (let v = 1; v <= 100; v++) await before`insert into t values (${v})`;
  await first.kill();
  await before.end({ timeout: 0 });
  await using second = await embeddedPostgres(folder);
  const after = connect(second.url, 1);
  assert.equal((await after`select sum(v)::int as sum from t`)[0]?.["sum"], 5050);
  await after.end();
});

Deno.test("the embedded Postgres starts where its first start was killed half-way, and sets unreadable files aside", async () => {
  await using home = await TemporaryFolder.make("ackpool-postgres-");
  const folder = `${home.path}/postgres`;
  await Deno.mkdir(`${folder}/base`, { recursive: true });
  await Deno.writeTextFile(`${folder}/PG_VERSION`, "18\n");
  await Deno.writeTextFile(`${folder}.unfinished`, "");
  await (await embeddedPostgres(folder))[Symbol.asyncDispose]();
  await Deno.remove(`${folder}/global`, { recursive: true });
  await using database = await embeddedPostgres(folder);
  const sql = connect(database.url, 1);
  assert.equal((await sql`select 1 as one`)[0]?.["one"], 1);
  await sql.end();
  assert.equal(((await Deno.stat(folder)).mode ?? 0) & 0o777, 0o700, "nobody else reads it");
  const names = Array.from(Deno.readDirSync(home.path), ({ name }) => name);
  assert.equal(names.filter((name) => name.startsWith("postgres.unreadable-")).length, 1);
});

Deno.test("a transaction that somebody leaves open in the embedded Postgres ends when others wait, and only then", async () => {
  const database = await openInMemory();
  const limits = { idleMs: 50, onBegin: () => {}, onEnd: () => {} };
  const server = servePostgres(database, 0, limits);
  const url = `postgres://postgres@127.0.0.1:${server.port}/postgres`;
  const closed = Promise.withResolvers<void>();
  const named = (name: string, onclose = () => {}) =>
    postgres(url, { max: 1, onclose, connection: { application_name: name } });
  const [leaver, person, ours] = [named("psql", closed.resolve), named("psql"), named("ackpool")];
  const left = await leaver.reserve();
  await left`begin`;
  await left`create table t (v int)`;
  await new Promise((resolve) => setTimeout(resolve, 200));
  await left`insert into t values (1)`;
  assert.equal((await ours`select to_regclass('t') is null as gone`)[0]?.["gone"], true);
  await closed.promise;
  const kept = await ours.reserve();
  await kept`begin`;
  const waits = person`select 1 as one`;
  await new Promise((resolve) => setTimeout(resolve, 200));
  await kept`commit`;
  assert.equal((await waits)[0]?.["one"], 1);
  kept.release();
  await Promise.all([leaver, person, ours].map((each) => each.end({ timeout: 0 })));
  server.close();
  await database.close();
});

Deno.test("two embedded Postgres never share their files", async () => {
  await using home = await TemporaryFolder.make("ackpool-postgres-");
  await using _first = await embeddedPostgres(`${home.path}/postgres`);
  await assert.rejects(
    embeddedPostgres(`${home.path}/postgres`),
    (error: Error & { lastLines: string[] }) => {
      assert.match(
        error.lastLines.join("\n"),
        /postgres is in use by another process: stop the other deno task start/,
      );
      return true;
    },
  );
});

Deno.test("children end when their parent is killed", async () => {
  const parent = new Child({
    name: "parent",
    args: ["run", "-A", new URL("../support/postgres/embedded_parent.ts", import.meta.url).pathname],
    env: {},
  });
  const pid = await parent.waitFor((line) =>
    line.kind === "text" ? Number(/^child (\d+)$/.exec(line.text)?.[1]) || undefined : undefined
  );
  assert.ok(isAlive(pid));
  parent.kill();
  await until("the child's end", () => !isAlive(pid));
});

function isAlive(pid: number): boolean {
  try {
    Deno.kill(pid, "SIGCONT");
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
