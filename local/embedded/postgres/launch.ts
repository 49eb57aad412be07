// The launcher of the embedded Postgres: starts its process and finds its address.

import { Child, type OnLine } from "../../processes/child.ts";
import { watchedArgs } from "../../processes/deno_task.ts";
import { CACHE_FOLDER } from "../../project.ts";

/** An embedded Postgres that runs. */
export interface EmbeddedPostgres {
  readonly url: string;
  readonly child: Child;
}

/** Where it keeps its files and listens. */
export interface EmbeddedPostgresOptions {
  /** Absolute path; absent keeps everything in memory. */
  readonly folder?: string;
  /** 0 takes a free port. */
  readonly port: number;
}

/** The arguments of `deno` that run it. */
export function postgresArgs(folder: string | undefined): string[] {
  const writes = folder === undefined ? CACHE_FOLDER : folder.slice(0, folder.lastIndexOf("/"));
  const flags = [
    "--allow-net=127.0.0.1",
    "--allow-read",
    "--allow-env",
    "--allow-sys",
    `--allow-write=${writes}`,
  ];
  return watchedArgs("local/embedded/postgres/main.ts", flags, folder === undefined ? [] : [folder]);
}

/**
 * Starts it.
 *
 * @throws {ChildFailedError} when it does not start.
 */
export async function startEmbeddedPostgres(
  { folder, port }: EmbeddedPostgresOptions,
  onLine?: OnLine,
): Promise<EmbeddedPostgres> {
  const env = { PORT: String(port), LOG_FORMAT: "json" };
  const child = new Child({ name: "postgres", args: postgresArgs(folder), env }, onLine);
  const url = await child.waitFor((line) =>
    line.kind === "event" && line.message === "listening" ? String(line.properties["url"]) : undefined
  );
  return { url, child };
}
