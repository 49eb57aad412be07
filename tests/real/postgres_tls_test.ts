// TLS to a real PostgreSQL: what each sslmode proves, and the words where it cannot.

import assert from "node:assert/strict";
import { storeFailure } from "../../worker/db/database.ts";
import { Authority } from "../support/kafka/authority.ts";
import { RealPostgres } from "../support/postgres/real_postgres.ts";
import { testDatabase } from "../support/postgres/store_harness.ts";

const ENCRYPTED = "select ssl from pg_stat_ssl where pid = pg_backend_pid()";

/** Whether the connection is encrypted, or why there is none. */
async function attempt(url: string): Promise<unknown> {
  const database = testDatabase(url, 1);
  try {
    const [row] = await database.run<{ ssl: boolean }>(ENCRYPTED, []);
    return row?.ssl;
  } catch (error) {
    const { cause, detail } = storeFailure(error);
    return `${cause}: ${detail}`;
  } finally {
    await database.close();
  }
}

Deno.test("sslmode proves what libpq's does", async (test) => {
  await using authority = await Authority.make();
  await using stranger = await Authority.make();
  const certificate = await authority.issue({ name: "server", host: "DNS:localhost" });
  await using server = await RealPostgres.start({ certificate });
  await using plain = await RealPostgres.start();
  const url = (host: string, query: string) => `postgres://postgres@${host}:${server.port}/postgres?${query}`;
  const [own, other] = [`sslrootcert=${authority.ca}`, `sslrootcert=${stranger.ca}`];
  const REFUSED = /^misconfigured: the server's certificate is not accepted .*sslrootcert=FILE/;

  const cases: readonly (readonly [string, unknown])[] = [
    [url("localhost", "sslmode=disable"), false],
    [url("localhost", ""), true],
    [url("localhost", "sslmode=require"), true],
    [url("127.0.0.1", `sslmode=verify-ca&${own}`), true],
    [url("localhost", `sslmode=verify-full&${own}`), true],
    [url("127.0.0.1", `sslmode=verify-full&${own}`), REFUSED],
    [url("localhost", `sslmode=verify-full&${other}`), REFUSED],
    [url("localhost", `sslmode=verify-ca&${other}`), REFUSED],
    [url("localhost", `sslmode=require&${other}`), REFUSED],
    [url("localhost", "sslmode=verify-full"), REFUSED],
    [
      url("localhost", "sslmode=verify-full&sslrootcert=/nowhere.pem"),
      /^misconfigured: sslrootcert: the file \/nowhere.pem/,
    ],
    [plain.url, false],
    [
      `${plain.url}?sslmode=require`,
      /^unreachable: .*a server without TLS does so: sslmode=prefer connects to it/,
    ],
  ];
  for (const [each, expected] of cases) {
    await test.step(each.replace(/:\d+/, ""), async () => {
      const actual = await attempt(each);
      if (expected instanceof RegExp) assert.match(String(actual), expected);
      else assert.equal(actual, expected);
    });
  }
});
