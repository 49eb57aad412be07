// `PARK_KEYS`: which new records are not sent, but wait for a replay of their key or follow its dead letter.

import { outcomeLabel } from "../../shared/contract/outcome.ts";
import type { DeadLetters } from "./dead_letter_queue.ts";
import type { Delivery } from "./delivery.ts";
import type { Holdings } from "./assignment.ts";
import type { Behind, LetterNews } from "./parking/parked_keys.ts";
import type { Partition } from "./partition.ts";
import type { Sending } from "./dispatcher.ts";

/** Diverts records of parked keys. */
export class ParkedKeys<R> {
  readonly #enabled: boolean;
  readonly #holdings: Holdings<R>;
  readonly #sending: Sending<R>;
  readonly #deadLetters: DeadLetters<R>;

  constructor(enabled: boolean, holdings: Holdings<R>, sending: Sending<R>, deadLetters: DeadLetters<R>) {
    this.#enabled = enabled;
    this.#holdings = holdings;
    this.#sending = sending;
    this.#deadLetters = deadLetters;
  }

  /** The dead-letter topic was read: whoever waited for that may have their turn now. */
  learn(partition: Partition<R>, news: LetterNews): void {
    partition.parking.learn(news);
    this.#sending.takeUp(partition);
  }

  /** A dead letter of ours is at this offset: its key is parked from now on. */
  letterWritten(delivery: Delivery<R>, letterOffset: number | undefined): void {
    const { home, lane, offset, origin } = delivery;
    if (!this.#enabled || lane === undefined) return;
    if (letterOffset === undefined) {
      throw new Error("Where a dead letter was written has to be known to park");
    }
    home.parking.recordWritten({
      offset: letterOffset,
      key: lane,
      origin: origin ?? { at: home.id, offset, letter: undefined },
      cause: delivery.behind?.cause ?? causeOf(delivery),
    });
  }

  /** Whether a new record whose turn has come is not to be sent; then it is where it belongs. */
  diverts(delivery: Delivery<R>, nowMs: number): boolean {
    if (!this.#enabled) return false;
    const turn = delivery.home.parking.turnOf(delivery);
    switch (turn.kind) {
      case "send":
        return false;
      case "settled":
        this.#holdings.settle(delivery, nowMs);
        this.#sending.settled(delivery);
        this.#sending.release(delivery);
        return true;
      case "wait":
        // At its bound a partition cannot wait, or the replays might be behind the bound, too.
        if (delivery.home.paused) return this.#park(delivery, turn.behind);
        this.#sending.putAside(delivery);
        return true;
      case "early":
        this.#sending.putAside(delivery);
        return true;
      case "park":
        return this.#park(delivery, turn.behind);
      default:
        return turn satisfies never;
    }
  }

  #park(delivery: Delivery<R>, behind: Behind): true {
    delivery.behind = behind;
    this.#deadLetters.addFree(delivery, "parked");
    return true;
  }
}

/** As the dead-letter desk groups letters: reason, status and problem type. */
function causeOf<R>({ reason, last }: Delivery<R>): string {
  const type = last?.kind === "answer" ? last.problemType : undefined;
  return [reason, last && outcomeLabel(last), type].filter(Boolean).join(" ");
}
