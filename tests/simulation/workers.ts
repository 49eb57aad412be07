// A model of the replicas: how long an attempt takes and what it comes to, by the record, the replica and the faults.

import type { Answer, Outcome } from "../../shared/contract/outcome.ts";
import { chance, pick, whole } from "./random.ts";
import type { SimRecord, World } from "./world.ts";

/** An attempt on its way. */
export interface SimAttempt {
  readonly durationMs: number;
  /** What it comes to; asked once, at its end. */
  finish(): Outcome;
}

/** All replicas, for all consumers. */
export class Workers {
  readonly #world: World;
  readonly #busy: number[];

  constructor(world: World) {
    this.#world = world;
    this.#busy = Array.from({ length: world.scenario.replicas }, () => 0);
  }

  /** An attempt leaves for a replica. */
  start(record: SimRecord, replica: number): SimAttempt {
    const { scenario } = this.#world;
    const post = ++record.posts;
    const roll = (about: number) => chance(scenario.seed, about, record.id, post);
    if (!this.#world.isUp(replica)) return at(1 + roll(1) * 4, { kind: "refused", detail: "ECONNREFUSED" });
    const busy = this.#busy[replica] ?? 0;
    if (busy >= scenario.capacity) return at(1, full(whole(0, 2, roll(2)) * 1000));
    const held = record.working > 0 && roll(3) < 0.7;
    if (held) return at(2, { kind: "answer", status: pick([409, 425], roll(4)), retryAfterMs: 1000 });
    this.#busy[replica] = busy + 1;
    record.working += 1;
    const hangs = this.#hangs(record);
    const slow = this.#world.active("slow")?.times ?? 1;
    const natural = scenario.latencyMs * slow * Math.exp(normal(roll(5), roll(6)));
    const durationMs = hangs ? scenario.timeoutMs : Math.min(scenario.timeoutMs * 0.8, Math.max(1, natural));
    return {
      durationMs,
      finish: () => {
        this.#busy[replica] = (this.#busy[replica] ?? 1) - 1;
        record.working -= 1;
        if (durationMs >= scenario.timeoutMs) {
          if (hangs && record.plan.behaviour.kind === "flaky") record.failed += 1;
          return { kind: "timeout", detail: "no answer" };
        }
        if (!this.#world.isUp(replica)) return { kind: "reset", detail: "ECONNRESET" };
        return this.#answer(record, roll);
      },
    };
  }

  #hangs({ plan: { behaviour }, failed }: SimRecord): boolean {
    if (this.#world.active("outage")?.how === "hang") return true;
    if (behaviour.kind === "poison") return behaviour.hangs;
    return behaviour.kind === "flaky" && behaviour.how === "hang" && failed < behaviour.times;
  }

  #answer(record: SimRecord, roll: (about: number) => number): Outcome {
    const world = this.#world;
    const { scenario } = world;
    const misconfigured = world.active("misconfigured");
    if (misconfigured !== undefined) return { kind: "answer", status: misconfigured.status };
    if (world.active("outage") !== undefined) {
      return failed(roll(11), roll(12) < 0.2 ? { retryAfterMs: whole(0, 20, roll(13)) * 1000 } : {});
    }
    if (world.active("bad_deploy") !== undefined) return { kind: "answer", status: 500 };
    if (this.#isInFailingHalf(record, roll(17))) return failed(roll(18), {});
    const atOnce = chance(scenario.seed, 16) < 0.3;
    if (world.active("rate_limit") !== undefined && (atOnce || roll(14) < 0.7)) {
      return { kind: "answer", status: 429, retryAfterMs: atOnce ? 0 : whole(0, 5, roll(15)) * 1000 };
    }
    return this.#byItself(record, roll);
  }

  #isInFailingHalf({ id }: SimRecord, roll: number): boolean {
    const hits = this.#world.active("half_outage")?.hits;
    return hits !== undefined &&
      (hits === "attempts" ? roll : chance(this.#world.scenario.seed, 19, id)) < 0.5;
  }

  #byItself(record: SimRecord, roll: (about: number) => number): Outcome {
    const { behaviour } = record.plan;
    switch (behaviour.kind) {
      case "good":
        return { kind: "answer", status: pick([200, 200, 204], roll(21)) };
      case "poison":
        return failed(roll(22), {});
      case "rejected":
        return { kind: "answer", status: behaviour.status };
      case "asked":
        return { kind: "answer", status: 200, action: "dead-letter" };
      case "waved_through":
        return { kind: "answer", status: 500, action: "settle" };
      case "missing":
        if (this.#world.timeline.nowMs >= behaviour.untilMs) return { kind: "answer", status: 200 };
        return { kind: "answer", status: 404, problemType: "https://example.test/ticket-not-found" };
      case "flaky":
        return this.#flaky(record, behaviour.times, behaviour.how, roll);
      default:
        return behaviour satisfies never;
    }
  }

  #flaky(record: SimRecord, times: number, how: string, roll: (about: number) => number): Outcome {
    if (record.failed >= times) return { kind: "answer", status: 200 };
    record.failed += 1;
    if (how === "lost") return { kind: "reset", detail: "the work was done, the answer was lost" };
    if (how === "asks_retry") return { kind: "answer", status: 200, action: "retry" };
    return failed(roll(23), {});
  }
}

function at(durationMs: number, outcome: Outcome): SimAttempt {
  return { durationMs, finish: () => outcome };
}

function full(retryAfterMs: number): Answer {
  return { kind: "answer", status: 503, retryAfterMs };
}

/** A failure that speaks against record or pool. 503 is one only without `Retry-After`. */
function failed(at: number, more: { retryAfterMs?: number }): Answer {
  const status = pick([500, 502, 503, 504, 408], at);
  return {
    kind: "answer",
    status: status === 503 && more.retryAfterMs !== undefined ? 500 : status,
    ...more,
  };
}

/** Box and Muller: two even numbers make a normal one. */
function normal(a: number, b: number): number {
  return Math.sqrt(-2 * Math.log(1 - a * 0.999999)) * Math.cos(2 * Math.PI * b);
}
