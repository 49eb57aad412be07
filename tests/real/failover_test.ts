// Failover between two real PostgreSQL servers: streaming replication, promotion, and an old primary that lives on or dies.

import assert from "node:assert/strict";
import postgres from "postgres";
import { closeConnection } from "../../local/embedded/close_connection.ts";
import { deliverTickets, TICKETS } from "../support/postgres/delivered_tickets.ts";
import { RealPostgres } from "../support/postgres/real_postgres.ts";
import { testDatabase } from "../support/postgres/store_harness.ts";
import { until } from "../support/until.ts";
import type { WorkerProcess } from "../support/processes/worker_process.ts";

/** A primary and a standby that confirms every commit, so that a failover loses none. */
async function startPair(): Promise<AsyncDisposableStack & { primary: RealPostgres; standby: RealPostgres }> {
  const stack = new AsyncDisposableStack();
  const primary = stack.use(await RealPostgres.start());
  const standby = stack.use(await RealPostgres.start({ standbyOf: primary }));
  await run(primary.url, "alter system set synchronous_standby_names = '*'", "select pg_reload_conf()");
  return Object.assign(stack, { primary, standby });
}

async function run(url: string, ...statements: readonly string[]): Promise<void> {
  // Administration works on a server that takes no writes, too.
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  for (const statement of statements) await sql.unsafe(statement);
  await sql.end();
}

const ready = async ({ url }: WorkerProcess) => (await fetch(`${url}/readyz`)).status === 200;

function expectAllOnce({ statuses, ...rest }: Awaited<ReturnType<typeof deliverTickets>>): void {
  assert.deepEqual(rest, { secondCalls: 0, calledTickets: TICKETS, labelled: TICKETS });
  // 409: a label is being bought. 503: the database is away. Nothing else, and above all no 500.
  const unexpected = Object.keys(statuses).filter((status) => !["200", "409", "503"].includes(status));
  assert.deepEqual([statuses[200], unexpected], [TICKETS, []]);
}

Deno.test("an old primary made read-only is left for the promoted standby behind the same address", async () => {
  await using pair = await startPair();
  const { primary, standby } = pair;
  using address = new Address(primary.port);
  const told: boolean[] = [];
  const result = await deliverTickets({
    url: address.url,
    tickets: TICKETS,
    countUrl: standby.url,
    halfway: async (workers) => {
      await run(
        primary.url,
        "alter system set default_transaction_read_only = on",
        "select pg_reload_conf()",
      );
      await until(
        "every worker to be not ready",
        async () => (await Promise.all(workers.map(ready))).every((each) => !each),
      );
      const causes = await Promise.all(
        workers.map(async ({ url }) => (await (await fetch(`${url}/readyz`)).json()).causes),
      );
      told.push(...causes.map(([cause]) => /takes no writes|read-only/.test(cause.detail)));
      await run(standby.url, "select pg_promote()");
      // Connections that are open stay with the old primary.
      address.port = standby.port;
      await until(
        "every worker to be ready",
        async () => (await Promise.all(workers.map(ready))).every(Boolean),
      );
    },
  });
  expectAllOnce(result);
  assert.deepEqual(told, [true, true]);
});

Deno.test("a primary killed with -9 is followed by the promoted standby of the same connection string", async () => {
  await using pair = await startPair();
  const { primary, standby } = pair;
  const url = `postgres://postgres@127.0.0.1:${primary.port},127.0.0.1:${standby.port}/postgres` +
    "?target_session_attrs=read-write";
  const result = await deliverTickets({
    url,
    tickets: TICKETS,
    countUrl: standby.url,
    halfway: async () => {
      await primary.kill();
      await run(standby.url, "select pg_promote()");
    },
  });
  expectAllOnce(result);
});

Deno.test("Database opens the host that takes writes, whichever comes first", async () => {
  await using pair = await startPair();
  const database = testDatabase(
    `postgres://postgres@127.0.0.1:${pair.standby.port},127.0.0.1:${pair.primary.port}/postgres`,
  );
  const [row] = await database.run<{ standby: boolean; limit: string }>(
    "select pg_is_in_recovery() as standby, current_setting('statement_timeout') as limit",
    [],
  );
  await database.close();
  assert.deepEqual(row, { standby: false, limit: "10s" });
});

/** A TCP address in front of whichever server it is told, as a service or a proxy is. */
class Address implements Disposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #connections = new Set<Deno.Conn>();

  constructor(public port: number) {
    void this.#serve();
  }

  get url(): string {
    return `postgres://postgres@127.0.0.1:${this.#listener.addr.port}/postgres`;
  }

  [Symbol.dispose](): void {
    this.#listener.close();
    for (const connection of this.#connections) closeConnection(connection);
  }

  async #serve(): Promise<void> {
    for await (const client of this.#listener) void this.#join(client);
  }

  async #join(client: Deno.Conn): Promise<void> {
    const server = await Deno.connect({ hostname: "127.0.0.1", port: this.port }).catch(() => undefined);
    const ends = server === undefined ? [client] : [client, server];
    for (const end of ends) this.#connections.add(end);
    if (server !== undefined) {
      const pipes = [client.readable.pipeTo(server.writable), server.readable.pipeTo(client.writable)];
      await Promise.allSettled(pipes);
    }
    for (const end of ends) {
      this.#connections.delete(end);
      closeConnection(end);
    }
  }
}
