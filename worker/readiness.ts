// Readiness: asks database and provider whether this worker can classify now, and names what is wrong.

import type { Cause } from "../shared/http/health.ts";
import type { LlmFailure } from "./core/llm.ts";
import type { StoreFailure } from "./core/label_store.ts";

/** What readiness asks. */
export interface ReadinessDeps {
  readonly checkStore: () => Promise<StoreFailure | undefined>;
  readonly checkProvider: () => Promise<LlmFailure | undefined>;
  /** Which limit of the day's budget is reached, in words. */
  readonly budgetReached: () => string | undefined;
  readonly nowMs: () => number;
  /** Told a cause when it begins, once. */
  readonly onBegin?: (cause: Cause) => void;
  /** Told its name when it is over. */
  readonly onEnd?: (name: string) => void;
}

type Finding = Omit<Cause, "sinceMs">;

/** Probes come often; the database is asked at most this often, the provider less. */
const STORE_FRESH_MS = 1_000;
const PROVIDER_FRESH_MS = 5_000;

/** Remembers since when each cause holds. */
export class WorkerReadiness {
  readonly #deps: ReadinessDeps;
  readonly #since = new Map<string, number>();
  readonly #store: () => Promise<Finding | undefined>;
  readonly #provider: () => Promise<Finding | undefined>;
  #draining = false;

  constructor(deps: ReadinessDeps) {
    this.#deps = deps;
    this.#store = cached(async () => storeFinding(await deps.checkStore()), STORE_FRESH_MS, deps.nowMs);
    this.#provider = cached(
      async () => providerFinding(await deps.checkProvider()),
      PROVIDER_FRESH_MS,
      deps.nowMs,
    );
  }

  /** True from the first signal on. */
  get draining(): boolean {
    return this.#draining;
  }

  /** No new work from now on. */
  drain(): void {
    this.#draining = true;
  }

  /** Everything that is wrong now. */
  async causes(): Promise<readonly Cause[]> {
    const found = await Promise.all([
      this.#draining ? DRAINING : undefined,
      budgetFinding(this.#deps.budgetReached()),
      this.#store(),
      this.#provider(),
    ]);
    const findings = found.filter((finding) => finding !== undefined);
    for (const name of [...this.#since.keys()]) {
      if (findings.some((finding) => finding.name === name)) continue;
      this.#since.delete(name);
      this.#deps.onEnd?.(name);
    }
    return findings.map((finding) => this.#dated(finding));
  }

  #dated(finding: Finding): Cause {
    const known = this.#since.get(finding.name);
    const cause = { ...finding, sinceMs: known ?? this.#deps.nowMs() };
    this.#since.set(finding.name, cause.sinceMs);
    if (known === undefined) this.#deps.onBegin?.(cause);
    return cause;
  }
}

const DRAINING: Finding = {
  name: "draining",
  detail: "This worker is shutting down and takes nothing new",
  remedy: "Nothing to do: other replicas take over",
};

function budgetFinding(detail: string | undefined): Finding | undefined {
  if (detail === undefined) return undefined;
  return {
    name: "budget-spent",
    detail,
    remedy: "Wait for midnight UTC, or set a higher limit and start the workers again",
  };
}

function storeFinding(failure: StoreFailure | undefined): Finding | undefined {
  if (failure === undefined) return undefined;
  if (failure.cause === "misconfigured") {
    return {
      name: "database-misconfigured",
      detail: failure.detail,
      remedy: "Run deno task migrate, and check the database's name, user, rights and tables",
    };
  }
  return {
    name: "database-unreachable",
    detail: failure.detail,
    remedy: "Start the database or check DATABASE_URL; the worker connects again by itself",
  };
}

function providerFinding(failure: LlmFailure | undefined): Finding | undefined {
  // One that limits our rate is there: pace is the pool's affair, and a replica that says no gets nothing.
  if (failure === undefined || failure.cause === "rate_limited") return undefined;
  if (failure.cause === "refused" || failure.cause === "no_model") {
    return {
      name: "provider-refused",
      detail: failure.detail,
      remedy: "Check OPENAI_API_KEY, OPENAI_BASE_URL, OPENAI_MODEL and the account's quota",
    };
  }
  return {
    name: "provider-unreachable",
    detail: failure.detail,
    remedy: "Check OPENAI_BASE_URL and the provider's status page; the worker tries again by itself",
  };
}

/** One call at a time, its answer shared for a while. */
function cached<T>(ask: () => Promise<T>, freshMs: number, nowMs: () => number): () => Promise<T> {
  let asked: { readonly atMs: number; readonly answer: Promise<T> } | undefined;
  return () => {
    if (asked === undefined || nowMs() - asked.atMs >= freshMs) asked = { atMs: nowMs(), answer: ask() };
    return asked.answer;
  };
}
