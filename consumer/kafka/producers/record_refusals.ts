// Record refusals: what a broker refuses of a record for good, told apart from what may pass.

import { RecordRefused, RecordTooLarge } from "../../records/log_access.ts";

/** As far as we look into errors that errors are made of. */
const DEPTH_MAX = 6;
const TOO_LARGE = new Set(["MESSAGE_TOO_LARGE", "RECORD_LIST_TOO_LARGE"]);

/** The refusal behind an error of a send to this topic; any other error as it is. */
export function toRecordRefusal(error: unknown, topic: string): unknown {
  let each = error as (Error & { readonly type?: string }) | undefined;
  for (let depth = 0; each instanceof Error && depth < DEPTH_MAX; depth++) {
    if (TOO_LARGE.has(each.type ?? "")) {
      return new RecordTooLarge(`${topic}: ${each.message}`, { cause: error });
    }
    if (each.type === "INVALID_RECORD") {
      const why =
        `${topic} takes no such record; with cleanup.policy=compact a topic takes none without a key`;
      return new RecordRefused(why, { cause: error });
    }
    each = each.cause as typeof each;
  }
  return error;
}
