// RecordOperations: shows an operator a record in delivery, takes it out, and says what became of it.

import type { Cause } from "../shared/http/health.ts";
import { outcomeLabel, problemText } from "../shared/contract/outcome.ts";
import { pause } from "../shared/wait.ts";
import type { HeldRecord } from "./records/held_record.ts";
import type { RecordCommands, Taken } from "./admin/records.ts";
import type { Delivery } from "./core/delivery.ts";
import type { RecordPosition } from "./records/position.ts";
import type { KafkaRecord } from "./records/record.ts";
import type { Runtime } from "./runtime.ts";

/** How long an answer waits for what becomes of a record, and between two looks, in ms. */
const WAIT_MS = 4000;
const LOOK_EVERY_MS = 20;

/** Looks at the records of one runtime. */
export class RecordOperations implements RecordCommands {
  readonly #runtime: Pick<Runtime, "find" | "take">;
  readonly #causes: () => readonly Cause[];
  readonly #waitMs: number;

  /** @param causes say why a dead letter cannot be written. */
  constructor(
    runtime: Pick<Runtime, "find" | "take">,
    causes: () => readonly Cause[],
    waitMs: number = WAIT_MS,
  ) {
    this.#runtime = runtime;
    this.#causes = causes;
    this.#waitMs = waitMs;
  }

  look({ offset, ...at }: RecordPosition): HeldRecord | undefined {
    const held = this.#runtime.find(at, offset);
    if (held === undefined) return undefined;
    const { state, attemptsCounted, attemptsSent, lastOutcome } = held;
    return {
      state,
      attempts: attemptsCounted,
      posts: attemptsSent,
      last: lastOutcome === undefined ? null : outcomeLabel(lastOutcome),
      said: lastOutcome === undefined ? null : problemText(lastOutcome) ?? null,
    };
  }

  /** Takes a record out, and waits a few seconds for what becomes of it. */
  async take({ offset, ...at }: RecordPosition): Promise<Taken | undefined> {
    const delivery = this.#runtime.find(at, offset);
    const effect = this.#runtime.take(at, offset);
    if (delivery === undefined || effect === undefined) return undefined;
    const signal = AbortSignal.timeout(this.#waitMs);
    while (resultOf(delivery) === "waiting" && !signal.aborted) await pause(LOOK_EVERY_MS, signal);
    const result = resultOf(delivery);
    const why = result === "waiting" && delivery.state === "dead_lettering"
      ? this.#whyNotWritten()
      : undefined;
    return { effect, result, ...(why === undefined ? {} : { why }) };
  }

  #whyNotWritten(): string {
    const cause = this.#causes().find(({ name }) => name.startsWith("dead-letter-topic"));
    return cause === undefined
      ? "The broker has not confirmed the dead letter"
      : `${cause.detail}. ${cause.remedy}`;
  }
}

function resultOf({ state, reason }: Delivery<KafkaRecord>): Taken["result"] {
  if (state === "dropped") return "given-up";
  if (state !== "settled") return "waiting";
  return reason === undefined ? "settled" : "dead-lettered";
}
