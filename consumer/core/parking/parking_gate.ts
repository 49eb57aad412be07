// ParkingGate: which new records are not sent. An operator took them, or with `PARK_KEYS` their key is parked.

import { causeOf } from "../../records/letter_cause.ts";
import type { Delivery } from "../delivery.ts";
import type { LetterUpdate, ParkedBehind } from "./letters.ts";
import type { Partition } from "../partition.ts";
import type { Parts } from "../parts.ts";

/** The dead-letter topic was read: records that waited for that may have their turn now. */
export function applyLetters<R>({ ready }: Parts<R>, partition: Partition<R>, update: LetterUpdate): void {
  partition.parking.apply(update);
  ready.resumeDeferred(partition);
}

/** A dead letter of ours is at this offset: its key is parked from now on. */
export function letterWritten<R>(
  { config }: Parts<R>,
  delivery: Delivery<R>,
  letterOffset: number | undefined,
): void {
  const { partition, lane, offset, timestampMs, origin } = delivery;
  if (!config.parkKeys || lane === undefined) return;
  if (letterOffset === undefined) throw new Error("Where a dead letter was written has to be known to park");
  partition.parking.recordWritten({
    offset: letterOffset,
    key: lane,
    origin: origin ??
      { topic: partition.topic, partition: partition.partition, offset, timestampMs, letter: undefined },
    cause: delivery.parkedBehind?.cause ?? causeOf(delivery.reason, delivery.lastOutcome),
  });
}

/** Whether a new record whose turn has come is not to be sent; then it is where it belongs. */
export function intercepts<R>(parts: Parts<R>, delivery: Delivery<R>, nowMs: number): boolean {
  if (delivery.takenByOperator) {
    parts.deadLetters.enqueueWithoutToken(delivery, "operator");
    return true;
  }
  return parts.config.parkKeys && !mayBeSent(parts, delivery, nowMs);
}

function mayBeSent<R>(parts: Parts<R>, delivery: Delivery<R>, nowMs: number): boolean {
  const { partition: { id: at, parking, paused }, offset, timestampMs, lane, origin, receivedMs } = delivery;
  const decision = parking.decide({ at, offset, timestampMs, lane, origin, receivedMs });
  switch (decision.kind) {
    case "send":
      return true;
    case "settled":
      parts.assignment.settle(delivery, nowMs);
      parts.dispatcher.settled(delivery);
      parts.ready.release(delivery);
      return false;
    case "wait":
      // At its bound a partition cannot wait, or the replays might be behind the bound, too.
      if (paused) return park(parts, delivery, decision.behind);
      parts.ready.defer(delivery);
      return false;
    case "early":
      parts.ready.defer(delivery);
      return false;
    case "park":
      return park(parts, delivery, decision.behind);
    default:
      return decision satisfies never;
  }
}

function park<R>({ deadLetters }: Parts<R>, delivery: Delivery<R>, behind: ParkedBehind): false {
  delivery.parkBehind(behind);
  deadLetters.enqueueWithoutToken(delivery, "parked");
  return false;
}
