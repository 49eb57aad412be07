// Debian's PgBouncer in front of a real PostgreSQL, with its default settings but for where it listens.

import { installPgBouncer } from "../processes/real_install.ts";
import { startChild } from "../processes/process.ts";
import { freePort } from "../ports.ts";
import { TemporaryFolder } from "../temporary_folder.ts";
import type { RealPostgres } from "./real_postgres.ts";

/** A running pooler. */
export interface PgBouncer extends AsyncDisposable {
  readonly url: string;
  /** Its log so far. */
  readonly log: () => string;
}

/** Starts one; as the user `postgres` when we are root, which it refuses to be. */
export async function startPgBouncer(
  server: RealPostgres,
  mode: "session" | "transaction",
): Promise<PgBouncer> {
  const command = await installPgBouncer(() => {});
  const folder = await TemporaryFolder.make("ackpool-pgbouncer-");
  await Deno.chmod(folder.path, 0o755);
  const port = freePort();
  const [settings, users] = [`${folder.path}/pgbouncer.ini`, `${folder.path}/users.txt`];
  await Deno.writeTextFile(users, '"postgres" ""\n');
  await Deno.writeTextFile(
    settings,
    `[databases]
* = host=127.0.0.1 port=${server.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = trust
auth_file = ${users}
pool_mode = ${mode}
`,
  );
  const user = Deno.uid() === 0 ? { user: "postgres" } : {};
  const child = startChild({ name: "pgbouncer", command, args: [settings], ...user });
  await child.waitForLine(({ text }) => text.includes("process up"));
  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    log: () => child.lines.map(({ text }) => text).join("\n"),
    [Symbol.asyncDispose]: async () => {
      await child[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}
