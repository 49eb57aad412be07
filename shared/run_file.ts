// What a running `start` leaves for commands beside it to find: which parts are embedded and where they listen.

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
  groupId: z.string(),
  ingressPort: z.number().int(),
  adminPort: z.number().int(),
});

/** See the file's first line. */
export type Run = z.infer<typeof schema>;

/** Where `start` keeps what it keeps, unless it was told otherwise. */
export const HOME_FOLDER: string = fileURLToPath(new URL("../.ackpool", import.meta.url));

/** The run file of a home. */
export const runFileOf = (home: string): string => `${home}/run.json`;

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
    // Somebody else's process lives, too; and who may not ask finds out when nothing answers.
    return error instanceof Deno.errors.NotCapable || (error as { code?: string }).code === "EPERM";
  }
}
