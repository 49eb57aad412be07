// Readiness: asks database and provider whether this worker can classify now, and names what is wrong.

import type { Cause } from "../shared/http/health.ts";
import type { LlmFailure } from "./core/llm.ts";
import type { StoreFailure } from "./core/label_store.ts";
import { llmRemedy, storeRemedy } from "./core/remedies.ts";

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

/** Probes come often; the database is asked at most this often, the provider less while it is well. */
const STORE_FRESH_MS = 1_000;
const PROVIDER_FRESH_MS = 5_000;
const PROVIDER_BAD_FRESH_MS = 1_000;
const UNREACHABLE_REMEDY = "Look at the database. The worker connects again by itself.";

/** Remembers since when each cause holds. */
export class WorkerReadiness {
  readonly #deps: ReadinessDeps;
  readonly #since = new Map<string, number>();
  readonly #store: SharedAnswer<Finding | undefined>;
  readonly #provider: SharedAnswer<Finding | undefined>;
  #draining = false;

  constructor(deps: ReadinessDeps) {
    this.#deps = deps;
    const { nowMs } = deps;
    this.#store = new SharedAnswer(async () => storeFinding(await deps.checkStore()), STORE_FRESH_MS, nowMs);
    this.#provider = new SharedAnswer(
      async () => providerFinding(await deps.checkProvider()),
      PROVIDER_FRESH_MS,
      nowMs,
      PROVIDER_BAD_FRESH_MS,
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

  /** A statement has just failed for want of the database: whoever asks next is told, and not what was true before. */
  recordStoreFailure(failure: StoreFailure): void {
    this.#store.set(storeFinding(failure));
  }

  /** A call has just failed: what was known of the provider a few seconds ago may be true no more. */
  doubtProvider(): void {
    this.#provider.doubt();
  }

  /** Everything that is wrong now. */
  async causes(): Promise<readonly Cause[]> {
    const found = await Promise.all([
      this.#draining ? DRAINING : undefined,
      budgetFinding(this.#deps.budgetReached()),
      this.#store.get(),
      this.#provider.get(),
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
    remedy: llmRemedy({ cause: "over_budget", detail }) ?? "",
  };
}

function storeFinding(failure: StoreFailure | undefined): Finding | undefined {
  if (failure === undefined) return undefined;
  const { detail } = failure;
  const remedy = storeRemedy(failure) ?? UNREACHABLE_REMEDY;
  return failure.cause === "misconfigured"
    ? { name: "database-misconfigured", detail, remedy }
    : { name: "database-unreachable", detail, remedy };
}

function providerFinding(failure: LlmFailure | undefined): Finding | undefined {
  // One that limits our rate is there: pace is the pool's affair, and a replica that says no gets nothing.
  if (failure === undefined || failure.cause === "rate_limited") return undefined;
  const { detail } = failure;
  const remedy = llmRemedy(failure) ?? "Look at the provider's status page.";
  return failure.cause === "refused" || failure.cause === "no_model"
    ? { name: "provider-refused", detail, remedy }
    : { name: "provider-unreachable", detail, remedy };
}

/** One call at a time, its answer shared for a while. */
class SharedAnswer<T> {
  readonly #ask: () => Promise<T>;
  readonly #freshMs: number;
  readonly #badFreshMs: number;
  readonly #nowMs: () => number;
  #asked: { readonly atMs: number; readonly answer: Promise<T> } | undefined;
  #bad = false;

  /** @param badFreshMs how long an answer that something is wrong holds: its end is to be seen soon. */
  constructor(ask: () => Promise<T>, freshMs: number, nowMs: () => number, badFreshMs: number = freshMs) {
    this.#ask = ask;
    this.#freshMs = freshMs;
    this.#badFreshMs = badFreshMs;
    this.#nowMs = nowMs;
  }

  get(): Promise<T> {
    const nowMs = this.#nowMs();
    const freshMs = this.#bad ? this.#badFreshMs : this.#freshMs;
    if (this.#asked === undefined || nowMs - this.#asked.atMs >= freshMs) {
      const answer = this.#ask();
      this.#asked = { atMs: nowMs, answer };
      answer.then((said) => this.#bad = said !== undefined, () => {});
    }
    return this.#asked.answer;
  }

  /** It is asked again soon. */
  doubt(): void {
    this.#bad = true;
  }

  /** What is known without asking. */
  set(answer: T): void {
    this.#asked = { atMs: this.#nowMs(), answer: Promise.resolve(answer) };
  }
}
