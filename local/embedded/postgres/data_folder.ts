// The embedded Postgres' files: made whole or not at all, used by one process at a time, set aside when unreadable.

import { PGlite } from "@electric-sql/pglite";
import { exists } from "../../project.ts";

/** A database that is open, and what had to be done about its files. */
export interface OpenDatabase {
  readonly database: PGlite;
  /** Where files that could not be opened were moved to; absent when all was well. */
  readonly setAside?: string;
}

/** Another process has the files open. */
export class DataFolderInUseError extends Error {
  override readonly name = "DataFolderInUseError";
}

const LOCK_ATTEMPT_MS = 200;

/**
 * Takes the folder for this process. The lock is the operating system's, so a killed process leaves none behind.
 * A start that was killed takes a moment to end, so it is waited for.
 *
 * @throws {DataFolderInUseError} when another process still has it after `patienceMs`.
 */
export async function lockFolder(folder: string, patienceMs: number): Promise<void> {
  await Deno.mkdir(folder.slice(0, folder.lastIndexOf("/")), { recursive: true });
  // Never closed: the lock is held until the process ends.
  const file = await Deno.open(`${folder}.lock`, { create: true, write: true });
  for (let waitedMs = 0; !(await file.tryLock(true)); waitedMs += LOCK_ATTEMPT_MS) {
    if (waitedMs >= patienceMs) {
      file.close();
      throw new DataFolderInUseError(`${folder} is in use by another process`);
    }
    await new Promise((resolve) => setTimeout(resolve, LOCK_ATTEMPT_MS));
  }
}

/** Opens the folder's database, creating it where there is none. The caller holds the folder's lock. */
export async function openFolder(folder: string, nowMs: number): Promise<OpenDatabase> {
  const opened = await openOrCreate(folder, nowMs);
  // PGlite's files are open to all; PostgreSQL keeps others out of its folder in the same way.
  if (Deno.build.os !== "windows") await Deno.chmod(folder, 0o700);
  return opened;
}

async function openOrCreate(folder: string, nowMs: number): Promise<OpenDatabase> {
  const isThere = await exists(`${folder}/PG_VERSION`) && !await exists(unfinishedMark(folder));
  if (!isThere) return { database: await createFolder(folder) };
  try {
    return { database: await PGlite.create({ dataDir: folder }) };
  } catch {
    const setAside = `${folder}.unreadable-${nowMs}`;
    await Deno.rename(folder, setAside);
    return { database: await createFolder(folder), setAside };
  }
}

/** A half-made folder would never open again, so a mark beside it stays until it is whole. */
async function createFolder(folder: string): Promise<PGlite> {
  await removeIfThere(folder);
  await removeIfThere(unfinishedMark(folder));
  await Deno.writeTextFile(unfinishedMark(folder), "");
  const database = await PGlite.create({ dataDir: folder });
  await Deno.remove(unfinishedMark(folder));
  return database;
}

function unfinishedMark(folder: string): string {
  return `${folder}.unfinished`;
}

async function removeIfThere(path: string): Promise<void> {
  await Deno.remove(path, { recursive: true }).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
}
