// Notices of dead letters: one line for all of a short while, with the reason and what to do.

/** What it needs. */
export interface DeadLetterNoticesPorts {
  readonly show: (line: string) => void;
  readonly later: (ms: number, callBack: () => void) => void;
}

/** The first ones are gathered for so long, in ms: a bad batch comes within a moment. */
const FIRST_AFTER_MS = 1000;
/** And those that follow for so long, in ms. */
const AGAIN_AFTER_MS = 10_000;

/** Reports the dead letters of a short while in one line, with the reason and what to do. */
export class DeadLetterNotices {
  readonly #ports: DeadLetterNoticesPorts;
  readonly #counts = new Map<string, number>();
  #waiting = false;
  #waitMs = FIRST_AFTER_MS;

  constructor(ports: DeadLetterNoticesPorts) {
    this.#ports = ports;
  }

  /** A record was dead-lettered. */
  add(reason: string): void {
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1);
    if (this.#waiting) return;
    this.#waiting = true;
    this.#ports.later(this.#waitMs, () => this.#show());
  }

  #show(): void {
    const total = [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
    const reasons = [...this.#counts].map(([reason, count]) =>
      this.#counts.size > 1 ? `${count} ${reason}` : reason
    );
    const what = total === 1 ? "1 dead letter" : `${total} dead letters`;
    this.#ports.show(`! ${what} (${reasons.join(", ")}): deno task dlq list shows why`);
    this.#counts.clear();
    this.#waiting = false;
    this.#waitMs = AGAIN_AFTER_MS;
  }
}
