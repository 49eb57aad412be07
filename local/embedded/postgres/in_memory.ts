// A fresh database in memory, from a cached copy where there is one: making it from nothing takes seconds of CPU.

import { PGlite } from "@electric-sql/pglite";
import denoJson from "../../../deno.json" with { type: "json" };
import { CACHE_FOLDER } from "../../project.ts";

// The copy belongs to one version of PGlite.
const version = denoJson.imports["@electric-sql/pglite"].split("@").at(-1);
const cacheFile = `${CACHE_FOLDER}/pglite-${version}.tar`;

/** Opens a database that nobody else has, and that is gone with its process. */
export async function openInMemory(): Promise<PGlite> {
  const cached = await readOrNothing(cacheFile);
  if (cached !== undefined) return await PGlite.create({ loadDataDir: new Blob([cached]) });
  const database = await PGlite.create();
  const copy = await database.dumpDataDir("none");
  await Deno.mkdir(CACHE_FOLDER, { recursive: true });
  // Renamed into place, so that nobody reads half of it.
  const unfinished = `${cacheFile}.${crypto.randomUUID()}`;
  await Deno.writeFile(unfinished, copy.stream());
  await Deno.rename(unfinished, cacheFile);
  return database;
}

async function readOrNothing(path: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    return await Deno.readFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
