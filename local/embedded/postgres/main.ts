// The embedded Postgres as a process of its own: PGlite on PORT, its files in FOLDER or in memory, until SIGTERM.
//
// deno run local/embedded/postgres/main.ts [FOLDER]

import type { PGlite } from "@electric-sql/pglite";
import { configureLogs, logger } from "../../../shared/log.ts";
import { DataFolderInUseError, lockFolder, openFolder } from "./data_folder.ts";
import { openInMemory } from "./in_memory.ts";
import { STATEMENT_BEGAN, STATEMENT_ENDED } from "./statement_events.ts";
import { servePostgres } from "./server.ts";

/** A start that was killed has this long to let go of the files: its children stop within 5 s. */
const LOCK_PATIENCE_MS = 10_000;

configureLogs({ level: "info", format: Deno.env.get("LOG_FORMAT") === "pretty" ? "pretty" : "json" });
const log = logger("postgres");
/** Statements of people are told, so that who watches can end this process: PGlite itself cannot be interrupted. */
const LIMITS = {
  idleMs: 5_000,
  onBegin: () => log.info(STATEMENT_BEGAN),
  onEnd: () => log.info(STATEMENT_ENDED),
};

async function open(folder: string | undefined): Promise<PGlite> {
  if (folder === undefined) return await openInMemory();
  await lockFolder(folder, LOCK_PATIENCE_MS);
  const { database, setAside } = await openFolder(folder, Date.now());
  if (setAside !== undefined) log.warn("set aside unreadable files", { folder, set_aside: setAside });
  return database;
}

function refuse(reason: string): never {
  log.error("refused to start", { reason });
  Deno.exit(1);
}

const port = Number(Deno.env.get("PORT") ?? 0);
const [folder] = Deno.args;
try {
  const database = await open(folder);
  const server = servePostgres(database, port, LIMITS);
  let stopping = false;
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    Deno.addSignalListener(signal, async () => {
      if (stopping) Deno.exit(130);
      stopping = true;
      server.close();
      await database.close();
      log.info("stopped");
      Deno.exit(0);
    });
  }
  const url = `postgres://postgres@127.0.0.1:${server.port}/postgres`;
  log.info("listening", { port: server.port, url, folder: folder ?? "memory" });
  const reason = await server.broken;
  if (!stopping) {
    log.error("broke down", {
      reason: reason instanceof Error ? reason.message : "PGlite ended its session",
    });
    Deno.exit(1);
  }
} catch (error) {
  if (error instanceof DataFolderInUseError) refuse(`${error.message}: stop the other deno task start first`);
  if (error instanceof Deno.errors.AddrInUse) refuse(`PORT ${port} is in use`);
  throw error;
}
