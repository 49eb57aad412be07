// What a running `start` leaves for `produce` to find: which parts are embedded and where they listen.

import process from "node:process";
import { z } from "zod";

const schema = z.object({
  pid: z.number().int().positive(),
  /** `host:port` of the embedded Kafka; absent where it is the user's own. */
  brokers: z.string().optional(),
  /** URL of the embedded Postgres; absent where it is the user's own: its password is nobody else's business. */
  databaseUrl: z.string().optional(),
  topic: z.string(),
  groupId: z.string(),
  ingressPort: z.number().int(),
  adminPort: z.number().int(),
});

/** See the file's first line. */
export type Run = z.infer<typeof schema>;

const path = (home: string) => `${home}/run.json`;

/** The `start` that runs in this home; undefined where none does. What a killed one left is not taken for a running one. */
export async function readRun(home: string): Promise<Run | undefined> {
  const text = await Deno.readTextFile(path(home)).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const run = schema.safeParse(parse(text));
  return run.success && isAlive(run.data.pid) ? run.data : undefined;
}

export async function writeRun(home: string, run: Run): Promise<void> {
  await Deno.mkdir(home, { recursive: true });
  // Renamed into place, so that nobody reads half of it.
  const unfinished = `${path(home)}.${run.pid}`;
  await Deno.writeTextFile(unfinished, `${JSON.stringify(run, null, 2)}\n`);
  await Deno.rename(unfinished, path(home));
}

export async function removeRun(home: string): Promise<void> {
  await Deno.remove(path(home)).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // Somebody else's process lives, too.
    return (error as { code?: string }).code === "EPERM";
  }
}
