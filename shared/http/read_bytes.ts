// readBytes(): a request's body, without ever holding more of it than is allowed.

import { joinChunks } from "./join_chunks.ts";

/**
 * Counts as it reads, because a length may be missing or wrong.
 *
 * @returns undefined beyond the limit.
 * @throws where the body ends before its end, or is no body.
 */
export async function readBytes(request: Request, bytesMax: number): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request.body ?? []) {
    length += chunk.byteLength;
    if (length > bytesMax) return undefined;
    chunks.push(chunk);
  }
  return joinChunks(chunks, length);
}
