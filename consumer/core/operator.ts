// Operator actions: a record that is taken out becomes a dead letter; what is held is not sent until it is let go.

import type { DeadLetterQueue } from "./dead_letter_queue.ts";
import type { Delivery } from "./delivery.ts";
import { type Flow, isHeld, shareOf } from "./policies/flow.ts";
import type { Parts } from "./parts.ts";

/** When it becomes a dead letter: now, at the end of the attempt that is out, or when it would have been sent. */
export type TakeEffect = "now" | "after-attempt" | "in-turn";

/** When taking a record out would take effect; undefined where there is nothing to take. */
export function takeEffect<R>({ state, sentMs }: Delivery<R>): TakeEffect | undefined {
  switch (state) {
    case "in_flight":
      return "after-attempt";
    case "ready":
      // One that never left waits behind others of its key or partition; order is kept for the dead letters, too.
      return sentMs === undefined ? "in-turn" : "now";
    case "judging":
    case "waiting":
    case "dead_lettering":
      return "now";
    case "settled":
    case "dropped":
      return undefined;
    default:
      return state satisfies never;
  }
}

/** Takes a record out. It costs no token: an operator has looked at it. */
export function takeRecord<R>(delivery: Delivery<R>, deadLetters: DeadLetterQueue<R>): void {
  const effect = takeEffect(delivery);
  if (effect === undefined) return;
  delivery.takeByOperator();
  if (effect !== "now") return;
  if (delivery.state === "dead_lettering") deadLetters.waiveToken(delivery);
  else deadLetters.enqueueWithoutToken(delivery, "operator");
}

/** Holds what operators hold, lets the rest go, and takes our share of the group's limits. */
export function applyFlow<R>({ assignment, dispatcher }: Parts<R>, flow: Flow, nowMs: number): void {
  let own = 0;
  for (const partition of assignment.partitions) {
    own += 1;
    dispatcher.setHeld(partition, isHeld(partition, flow));
  }
  const share = shareOf(flow, own);
  const { ratePerSecond: rate, permitsMax } = flow;
  dispatcher.setLimits(
    rate === undefined ? undefined : rate * share,
    // A share of less than one would leave partitions unread for good.
    permitsMax === undefined ? undefined : Math.max(1, Math.floor(permitsMax * share)),
    nowMs,
  );
}
