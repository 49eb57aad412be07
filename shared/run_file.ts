// The file that a running `start` leaves for commands beside it: which parts are embedded and where they listen.

import process from "node:process";
import { fileURLToPath } from "node:url";
import { z } from "zod";

const schema = z.object({
  pid: z.number().int().positive(),
  /** `host:port` of the embedded Kafka; absent where it is the user's own. */
  brokers: z.string().optional(),
  /** URL of the embedded Postgres; absent where it is the user's own: its password is nobody else's business. */
  databaseUrl: z.string().optional(),
  /** The topic that `produce` writes to. */
  topic: z.string(),
  /** `KAFKA_TOPIC` as it was written, and the names of its side topics where they were given. */
  topics: z.string().optional(),
  deadLetterTopic: z.string().optional(),
  retryTopic: z.string().optional(),
  /** `TICKETS_TABLE` and `TICKETS_COLUMNS` as they were written, where they were. */
  ticketsTable: z.string().optional(),
  ticketsColumns: z.string().optional(),
  groupId: z.string(),
  ingressPort: z.number().int(),
  adminPort: z.number().int(),
});

/** A running `start`. */
export type Run = z.infer<typeof schema>;

/** Where `start` keeps what it keeps, unless it was told otherwise. */
export const HOME_FOLDER: string = fileURLToPath(new URL("../.ackpool", import.meta.url));

/** The run file of a home. */
const runFileOf = (home: string): string => `${home}/run.json`;

/** The `start` that runs in this home; undefined where none does. What a killed one left is not taken for a running one. */
export async function readRun(home: string): Promise<Run | undefined> {
  const text = await Deno.readTextFile(runFileOf(home)).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const run = schema.safeParse(parse(text));
  return run.success && isAlive(run.data.pid) ? run.data : undefined;
}

/** Tells commands beside it that this `start` runs. */
export async function writeRun(home: string, run: Run): Promise<void> {
  await Deno.mkdir(home, { recursive: true });
  // Renamed into place, so that nobody reads half of it.
  const unfinished = `${runFileOf(home)}.${run.pid}`;
  await Deno.writeTextFile(unfinished, `${JSON.stringify(run, null, 2)}\n`);
  await Deno.rename(unfinished, runFileOf(home));
}

/** No `start` runs here any more. */
export async function removeRun(home: string): Promise<void> {
  await Deno.remove(runFileOf(home)).catch((error) => {
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
    // No right to ask: another user's process is alive, and without Deno's permission the first call will show it.
    return error instanceof Deno.errors.NotCapable || (error as { code?: string }).code === "EPERM";
  }
}
