// DeliveryPolicy: what a delivery mode means. Which records wait for each other, and when to commit.

/** `DELIVERY_MODE`. */
export type DeliveryMode = "parallel" | "key" | "partition" | "batch" | "fast";

/** `COMMIT_MODE`. */
export type CommitMode = "async" | "sync";

/** What a record waits for: nothing, the records of its key, or all of its partition. */
export type Order = "none" | "key" | "partition";

/** When a commit is due: on a timer, as soon as something settled, or when a batch is whole. */
export type CommitTiming = "interval" | "each" | "batch";

/** What may be committed: below the watermark, or whatever was received. */
export type CommitExtent = "settled" | "received";

/** A mode taken apart into the policies the machine is composed of. */
export interface DeliveryPolicy {
  readonly order: Order;
  readonly timing: CommitTiming;
  readonly extent: CommitExtent;
  /** A record counts as in flight, and holds its lane, until the commit that covers it is confirmed. */
  readonly holdUntilCommitted: boolean;
  /** Records start in batches, the next one when the last is settled. */
  readonly batched: boolean;
  /** The next batch starts when the last one's commit is confirmed. */
  readonly batchAwaitsCommit: boolean;
}

/** The policies of each delivery mode. */
export function policyFor(mode: DeliveryMode, commits: CommitMode): DeliveryPolicy {
  const sync = commits === "sync";
  const plain: DeliveryPolicy = {
    order: "none",
    timing: sync ? "each" : "interval",
    extent: "settled",
    holdUntilCommitted: sync,
    batched: false,
    batchAwaitsCommit: false,
  };
  switch (mode) {
    case "parallel":
      return plain;
    case "key":
      return { ...plain, order: "key" };
    case "partition":
      return { ...plain, order: "partition", timing: "each" };
    case "batch":
      // Holding permits until the batch is committed would block a batch larger than the pool for ever.
      return {
        ...plain,
        timing: "batch",
        holdUntilCommitted: false,
        batched: true,
        batchAwaitsCommit: sync,
      };
    case "fast":
      return { ...plain, timing: "interval", extent: "received", holdUntilCommitted: false };
    default:
      return mode satisfies never;
  }
}

/** The lane of a record: one of a lane is in flight at a time. Records without a key are not ordered. */
export function laneOf(order: Order, key: string | null): string | undefined {
  switch (order) {
    case "none":
      return undefined;
    case "key":
      return key ?? undefined;
    case "partition":
      return "";
    default:
      return order satisfies never;
  }
}
