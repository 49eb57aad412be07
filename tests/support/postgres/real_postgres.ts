// A real PostgreSQL server for tests: a fresh cluster on loopback in a folder that goes away with it.

import postgres from "postgres";
import { type Child, startChild } from "../processes/process.ts";
import { freePort } from "../ports.ts";
import { installPostgres, type Report } from "../processes/real_install.ts";
import { TemporaryFolder } from "../temporary_folder.ts";
import { until } from "../until.ts";

/** How a server is started. */
export interface PostgresOptions {
  /** Server settings, as in postgresql.conf. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Copies this server and follows it (streaming replication) until it is promoted. */
  readonly standbyOf?: RealPostgres;
  /** A certificate and its key, for TLS. */
  readonly certificate?: { readonly cert: string; readonly key: string };
  readonly report?: Report;
}

/** A running server. `await using` stops it and removes its cluster. */
export class RealPostgres implements AsyncDisposable {
  #server: Child | undefined;

  private constructor(
    private readonly temporary: TemporaryFolder,
    private readonly binaries: string,
    readonly port: number,
    private readonly settings: Readonly<Record<string, string>>,
  ) {}

  /** Makes a fresh cluster and starts a server on a free port; as the user `postgres` when we are root. */
  static async start(options: PostgresOptions = {}): Promise<RealPostgres> {
    const { settings = {}, standbyOf, certificate, report = () => {} } = options;
    const binaries = await installPostgres(report);
    const temporary = await TemporaryFolder.make("ackpool-postgres-");
    const tls = { ssl: "on", ssl_cert_file: "server.pem", ssl_key_file: "server.key" };
    const all = { ...settings, ...(certificate === undefined ? {} : tls) };
    const server = new RealPostgres(temporary, binaries, freePort(), all);
    try {
      if (Deno.uid() === 0) await giveToPostgres(temporary.path);
      await (standbyOf === undefined ? server.#makeCluster() : server.#copy(standbyOf));
      if (certificate !== undefined) await server.#copyCertificate(certificate);
      await server.restart();
      return server;
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The URL of the database that every cluster has. */
  get url(): string {
    return this.urlOf("postgres");
  }

  /** The URL of a database by its name. */
  urlOf(database: string): string {
    return `postgres://postgres@127.0.0.1:${this.port}/${database}`;
  }

  /** Creates an empty database and returns its URL. */
  async createDatabase(name: string): Promise<string> {
    const sql = postgres(this.url, { max: 1, onnotice: () => {} });
    await sql`create database ${sql(name)}`.finally(() => sql.end());
    return this.urlOf(name);
  }

  /** Ends the server as `kill -9` does; its data stays. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** Ends the server and its connections in an orderly way ("fast shutdown"); its data stays. */
  async stop(): Promise<void> {
    await this.#end("SIGINT");
  }

  /** Starts the server again, on the same port and data. */
  async restart(): Promise<void> {
    await this.stop();
    this.#server = this.#run("postgres", ["-D", `${this.temporary.path}/cluster`, ...this.#flags()]);
    const server = this.#server;
    await until("a PostgreSQL that answers", async () => {
      if (server.status !== undefined) throw server.failure("ended at its start");
      const sql = postgres(this.url, { max: 1, connect_timeout: 2 });
      await sql`select 1`.finally(() => sql.end());
      return true;
    }, { timeoutMs: 60_000 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.temporary[Symbol.asyncDispose]();
  }

  async #end(signal: Deno.Signal): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    await using _killedOtherwise = server;
    await server.end(signal);
  }

  async #makeCluster(): Promise<void> {
    const encoding = ["--encoding", "UTF8", "--locale", "C.UTF-8"];
    const flags = ["-D", `${this.temporary.path}/cluster`, "-U", "postgres", "--auth", "trust", "--no-sync"];
    await using initdb = this.#run("initdb", [...flags, ...encoding]);
    if (!(await initdb.exit).success) throw initdb.failure("could not make a cluster");
  }

  async #copy(primary: RealPostgres): Promise<void> {
    const from = ["-h", "127.0.0.1", "-p", String(primary.port), "-U", "postgres"];
    const how = ["-D", `${this.temporary.path}/cluster`, "-R", "-X", "stream", "-c", "fast", "--no-sync"];
    await using backup = this.#run("pg_basebackup", [...from, ...how]);
    if (!(await backup.exit).success) throw backup.failure("could not copy a server");
  }

  async #copyCertificate({ cert, key }: { readonly cert: string; readonly key: string }): Promise<void> {
    for (const [from, to] of [[cert, "server.pem"], [key, "server.key"]] as const) {
      const path = `${this.temporary.path}/cluster/${to}`;
      await Deno.copyFile(from, path);
      await Deno.chmod(path, 0o600);
      if (Deno.uid() === 0) await giveToPostgres(path);
    }
  }

  #run(binary: string, args: readonly string[]): Child {
    // initdb and postgres refuse to run as root.
    const user = Deno.uid() === 0 ? { user: "postgres" } : {};
    return startChild({
      name: binary,
      command: `${this.binaries}/${binary}`,
      args,
      cwd: this.temporary.path,
      linesMax: 1_000,
      ...user,
    });
  }

  #flags(): string[] {
    const settings = {
      port: String(this.port),
      listen_addresses: "127.0.0.1",
      unix_socket_directories: "",
      ...this.settings,
    };
    return Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  }
}

async function giveToPostgres(path: string): Promise<void> {
  const { stdout } = await new Deno.Command("id", { args: ["-u", "postgres"] }).output();
  await Deno.chown(path, Number(new TextDecoder().decode(stdout)), null);
}
