// `PARK_KEYS`: which new records are not sent, but wait for a replay of their key or follow its dead letter.

import { outcomeLabel } from "../../shared/contract/outcome.ts";
import type { DeadLetterQueue } from "./dead_letter_queue.ts";
import type { Delivery } from "./delivery.ts";
import type { Assignment } from "./assignment.ts";
import type { LetterUpdate, ParkedBehind } from "./parking/letters.ts";
import type { Partition } from "./partition.ts";
import type { Dispatcher } from "./dispatcher.ts";

/** Diverts records of parked keys. */
export class ParkingGate<R> {
  readonly #enabled: boolean;
  readonly #assignment: Assignment<R>;
  readonly #dispatcher: Dispatcher<R>;
  readonly #deadLetters: DeadLetterQueue<R>;

  constructor(
    enabled: boolean,
    holdings: Assignment<R>,
    sending: Dispatcher<R>,
    deadLetters: DeadLetterQueue<R>,
  ) {
    this.#enabled = enabled;
    this.#assignment = holdings;
    this.#dispatcher = sending;
    this.#deadLetters = deadLetters;
  }

  /** The dead-letter topic was read: whoever waited for that may have their turn now. */
  apply(partition: Partition<R>, news: LetterUpdate): void {
    partition.parking.apply(news);
    this.#dispatcher.resumeDeferred(partition);
  }

  /** A dead letter of ours is at this offset: its key is parked from now on. */
  letterWritten(delivery: Delivery<R>, letterOffset: number | undefined): void {
    const { partition, lane, offset, origin } = delivery;
    if (!this.#enabled || lane === undefined) return;
    if (letterOffset === undefined) {
      throw new Error("Where a dead letter was written has to be known to park");
    }
    partition.parking.recordWritten({
      offset: letterOffset,
      key: lane,
      origin: origin ?? { at: partition.id, offset, letter: undefined },
      cause: delivery.parkedBehind?.cause ?? causeOf(delivery),
    });
  }

  /** Whether a new record whose turn has come is not to be sent; then it is where it belongs. */
  intercepts(delivery: Delivery<R>, nowMs: number): boolean {
    if (!this.#enabled) return false;
    const { partition: { id: at, parking }, offset, lane, origin, receivedMs } = delivery;
    const decision = parking.decide({ at, offset, lane, origin, receivedMs });
    switch (decision.kind) {
      case "send":
        return false;
      case "settled":
        this.#assignment.settle(delivery, nowMs);
        this.#dispatcher.settled(delivery);
        this.#dispatcher.release(delivery);
        return true;
      case "wait":
        // At its bound a partition cannot wait, or the replays might be behind the bound, too.
        if (delivery.partition.paused) return this.#park(delivery, decision.behind);
        this.#dispatcher.defer(delivery);
        return true;
      case "early":
        this.#dispatcher.defer(delivery);
        return true;
      case "park":
        return this.#park(delivery, decision.behind);
      default:
        return decision satisfies never;
    }
  }

  #park(delivery: Delivery<R>, behind: ParkedBehind): true {
    delivery.parkBehind(behind);
    this.#deadLetters.enqueueWithoutToken(delivery, "parked");
    return true;
  }
}

/** Letters are grouped by it: reason, status and problem type. */
function causeOf<R>({ reason, lastOutcome }: Delivery<R>): string {
  const type = lastOutcome?.kind === "answer" ? lastOutcome.problemType : undefined;
  return [reason, lastOutcome && outcomeLabel(lastOutcome), type].filter(Boolean).join(" ");
}
