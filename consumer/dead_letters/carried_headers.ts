// Carried headers: what came with a record under a name of ours goes under another name while it is a dead letter.

import type { KafkaRecord } from "../records/record.ts";

type Headers = KafkaRecord["headers"];

/** Names that mean something in records that Ackpool wrote, and nothing in any other. */
const OURS = "ackpool-";
const CARRIED = `${OURS}carried-`;

/** A stranger's headers, so that none has a name of ours. */
export function carryHeaders(headers: Headers): Headers {
  return renamed(headers, (name) => name.startsWith(OURS) ? CARRIED + name : name);
}

/** Of a record of ours, what came with it when it was read first, still under the names it is carried under. */
export function carriedHeaders(headers: Headers): Headers {
  return renamed(headers, (name) => name.startsWith(OURS) && !name.startsWith(CARRIED) ? undefined : name);
}

/** Of a record of ours, what came with it when it was read first: the headers that {@link carryHeaders} was given. */
export function restoreHeaders(headers: Headers): Headers {
  return renamed(
    carriedHeaders(headers),
    (name) => name.startsWith(CARRIED) ? name.slice(CARRIED.length) : name,
  );
}

function renamed(headers: Headers, rename: (name: string) => string | undefined): Headers {
  const entries = Object.entries(headers).flatMap(([name, value]) => {
    const other = rename(name);
    return other === undefined ? [] : [[other, value] as const];
  });
  return Object.fromEntries(entries);
}
