// Commit metadata that is not what was committed: damaged, foreign, or about another offset.

import { Ledger } from "../../consumer/core/offsets/ledger.ts";
import { encodeOffsetMap } from "../../consumer/core/offsets/offset_map.ts";

/** What somebody made of the metadata of a committed offset. */
export function meddledMetadata(metadata: string, offset: number, roll: () => number): string {
  if (roll() < 0.5) return mapOfAnotherOffset(offset);
  const at = Math.max(12, Math.floor(roll() * metadata.length));
  const damaged = metadata.charAt(at) === "A" ? "B" : "A";
  return at < metadata.length - 2 ? metadata.slice(0, at) + damaged + metadata.slice(at + 1) : "nonsense";
}

/** A well-made map, but about another offset: of a topic that was made anew, or copied by some tool. */
function mapOfAnotherOffset(offset: number): string {
  const ledger = new Ledger<{ attemptsCounted: number }>(offset + 1);
  ledger.receive(offset + 1, { attemptsCounted: 0 });
  for (let next = offset + 2; next < offset + 8; next++) {
    ledger.settle(ledger.receive(next, { attemptsCounted: 0 }));
  }
  return encodeOffsetMap(ledger);
}
