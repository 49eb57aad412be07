// Records that an operator takes out of delivery: each becomes a dead letter, at once or when its attempt has ended.

import type { DeadLetters } from "./dead_letter_queue.ts";
import type { Delivery } from "./delivery.ts";

/** When it becomes a dead letter: now, at the end of the attempt that is out, or when it would have been sent. */
export type TakeEffect = "now" | "after-attempt" | "in-turn";

/** When taking a record out would take effect; undefined where there is nothing to take. */
export function effectOf<R>({ state, sentMs }: Delivery<R>): TakeEffect | undefined {
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
export function takeOut<R>(delivery: Delivery<R>, deadLetters: DeadLetters<R>): void {
  const effect = effectOf(delivery);
  if (effect === undefined) return;
  delivery.taken = true;
  if (effect !== "now") return;
  if (delivery.state === "dead_lettering") deadLetters.letThrough(delivery);
  else deadLetters.addFree(delivery, "operator");
}
