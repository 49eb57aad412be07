// Turns `COPY … FROM STDIN` into a statement that fails: PGlite reads copied rows from elsewhere, and dies of this one.

import { message } from "./frames.ts";

const COPY_FROM_STDIN = /\bcopy\s[^;]*\bfrom\s+stdin\b/i;
const REFUSAL =
  "do $$ begin raise exception 'COPY FROM STDIN is not possible in the embedded Postgres' using errcode = '0A000'; end $$";

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** The message itself, or one that fails in its place when it is a Query or Parse that copies from the client. */
export function withoutCopyFromStdin(type: string, bytes: Uint8Array): Uint8Array {
  if (type !== "Q" && type !== "P") return bytes;
  const strings = decoder.decode(bytes.subarray(5)).split("\0");
  const sql = type === "Q" ? strings[0] : strings[1];
  if (sql === undefined || !COPY_FROM_STDIN.test(sql)) return bytes;
  if (type === "Q") return message("Q", encoder.encode(`${REFUSAL}\0`));
  return message("P", encoder.encode(`${strings[0]}\0${REFUSAL}\0\0\0`));
}
