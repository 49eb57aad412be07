// TimeSpent: where the last minute's records spent their time, from the attempts that were looked at.

/** Mean time of one settled record in ms, by where it was. */
export interface SpentJson {
  /** Records that were looked at. */
  readonly records: number;
  /** From being received to its first attempt: for a permit, or behind others of its key. */
  readonly waiting_ms: number;
  /** On the way to the worker and back. */
  readonly network_ms: number;
  /** In the worker, beside LLM and database. */
  readonly worker_ms: number;
  readonly llm_ms: number;
  readonly database_ms: number;
}

interface Look {
  readonly atMs: number;
  readonly waitingMs: number;
  readonly tookMs: number;
  readonly timing: ServerTiming;
}

/** What a worker says in `Server-Timing`, in ms. */
export interface ServerTiming {
  /** All of it. */
  readonly total?: number;
  readonly llm?: number;
  readonly db?: number;
}

const WINDOW_MS = 60_000;
const LOOKS_MAX = 600;
/** One look in this time, in ms: reading a header of each answer would cost at thousands a second. */
const LOOK_EVERY_MS = 100;

/** Looks at ten attempts a second at most. */
export class TimeSpent {
  readonly #looks: Look[] = [];

  /** @param serverTiming the answer's header, where it has one. */
  record(waitingMs: number, tookMs: number, serverTiming: string | undefined, nowMs: number): void {
    const last = this.#looks.at(-1);
    if (last !== undefined && nowMs - last.atMs < LOOK_EVERY_MS) return;
    this.#looks.push({ atMs: nowMs, waitingMs, tookMs, timing: readServerTiming(serverTiming) });
    if (this.#looks.length > LOOKS_MAX) this.#looks.shift();
  }

  json(nowMs: number): SpentJson {
    const looks = this.#looks.filter(({ atMs }) => nowMs - atMs < WINDOW_MS);
    const mean = (of: (look: Look) => number) =>
      looks.length === 0 ? 0 : Math.round(looks.reduce((sum, look) => sum + of(look), 0) / looks.length);
    return {
      records: looks.length,
      waiting_ms: mean(({ waitingMs }) => waitingMs),
      // Without a word of the worker all of it is the worker's.
      network_ms: mean(({ tookMs, timing }) => Math.max(0, tookMs - (timing.total ?? tookMs))),
      worker_ms: mean(({ tookMs, timing: { total = tookMs, llm = 0, db = 0 } }) =>
        Math.max(0, total - llm - db)
      ),
      llm_ms: mean(({ timing: { llm = 0 } }) => llm),
      database_ms: mean(({ timing: { db = 0 } }) => db),
    };
  }
}

/** Reads `llm;dur=812.3, db;dur=4.1, total;dur=817` (W3C Server Timing section 2); what is not understood is left out. */
export function readServerTiming(header: string | undefined): ServerTiming {
  const found: { total?: number; llm?: number; db?: number } = {};
  for (const [, name, duration] of (header ?? "").slice(0, 500).matchAll(/(\w+);dur=(\d+(?:\.\d+)?)/g)) {
    if (name === "total" || name === "llm" || name === "db") found[name] = Number(duration);
  }
  return found;
}
