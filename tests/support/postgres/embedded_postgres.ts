// The embedded Postgres for a test file, as `deno task start` runs it: a process of its own, on a free port.

import { startEmbeddedPostgres } from "../../../local/embedded/postgres/launch.ts";

/** A database that is gone after the test. */
export interface TestPostgres extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
  /** Ends it the way a crash does. */
  readonly kill: () => Promise<void>;
}

const STOP_LIMIT_MS = 5_000;

/** Starts the embedded Postgres, in memory where no folder is given. */
export async function embeddedPostgres(folder?: string): Promise<TestPostgres> {
  const where = folder === undefined ? {} : { folder };
  const { url, child } = await startEmbeddedPostgres({ ...where, port: 0 });
  return {
    url,
    pid: child.pid,
    kill: async () => {
      child.kill();
      await child.ended;
    },
    [Symbol.asyncDispose]: () => child.stop(STOP_LIMIT_MS),
  };
}
