// The label store on Postgres: requests that meet share a statement, claims are renewed, paid labels outlive an outage.

import type {
  BeginRequest,
  BeginResult,
  FinishRequest,
  FinishResult,
  LabelStore,
  ReleaseRequest,
  StoreFailure,
} from "../core/label_store.ts";
import { ClaimLeases } from "./claim_leases.ts";
import { type Row, storeFailure } from "./database.ts";
import { GroupCommit } from "./group_commit.ts";
import {
  applyItems,
  applyResultOf,
  beginItems,
  beginResultOf,
  type BeginRow,
  claimItems,
  labelItems,
  releaseItems,
} from "./label_rows.ts";
import { LEASE_S, type Statements } from "./statements.ts";
import type { TableCatalog } from "./table_catalog.ts";
import { UnsavedLabels } from "./unsaved_labels.ts";

const GROUP = { itemsMax: 256, lingerMs: 1 };
const RELEASED = { kind: "released" } as const;
/** Beyond this many, claims are left to their leases. */
const ORPHANS_MAX = 1_000;
/** Waits for a ticket's row that somebody else holds, in ms; then its delivery is told to come back. */
const ROW_WAITS_MS = [20, 50, 100, 200, 400, 800];

type Stored = { readonly kind: "stored" } | { readonly kind: "superseded" } | StoreFailure;
type Released = typeof RELEASED | StoreFailure;

/** One kind of statement, as a group runs it. */
interface GroupStatement<Request, Result, RowType> {
  readonly name: keyof Statements;
  readonly items: (requests: readonly Request[]) => string;
  readonly resultOf: (row: RowType) => Result;
  /** Of a request without a row. */
  readonly otherwise: Result;
}

/** What a store tells. */
export interface LabelStoreEvents {
  /** An event's timestamp overruled its offset: its topic was made anew, or a producer's clock is wrong. */
  readonly onContradiction?: () => void;
  readonly nowMs?: () => number;
}

/** See {@link LabelStore}. A label that is paid for is stored in a statement of its own, before the user's row is touched. */
export class PostgresLabelStore implements LabelStore {
  readonly #catalog: TableCatalog;
  readonly #events: LabelStoreEvents;
  readonly #begins: GroupCommit<BeginRequest, BeginResult>;
  readonly #stores: GroupCommit<FinishRequest, Stored>;
  readonly #applies: GroupCommit<BeginRequest, FinishResult>;
  readonly #releases: GroupCommit<ReleaseRequest, Released>;
  readonly #leases: ClaimLeases;
  readonly #unsaved: UnsavedLabels;
  /** Claims that may have been committed while their answer got lost. */
  readonly #orphans: BeginRequest[] = [];
  #awayAtMs = -Infinity;

  constructor(catalog: TableCatalog, events: LabelStoreEvents = {}) {
    this.#catalog = catalog;
    this.#events = events;
    const byTicket = ({ key }: BeginRequest) => key.ticketId;
    this.#begins = this.#grouped({
      name: "begin",
      items: (requests) => beginItems(requests, this.#mayTakeOver()),
      resultOf: (row: BeginRow) => this.#begun(row),
      otherwise: { kind: "not_found" },
    }, byTicket);
    this.#stores = this.#grouped({
      name: "store",
      items: labelItems,
      resultOf: (): Stored => ({ kind: "superseded" }),
      otherwise: { kind: "stored" },
    }, byTicket);
    this.#applies = this.#grouped({
      name: "apply",
      items: applyItems,
      resultOf: applyResultOf,
      otherwise: { kind: "written" },
    }, byTicket);
    this.#releases = this.#grouped({
      name: "release",
      items: releaseItems,
      resultOf: () => RELEASED,
      otherwise: RELEASED,
    }, byTicket);
    this.#leases = new ClaimLeases((requests) => this.#renew(requests));
    this.#unsaved = new UnsavedLabels((request) => this.#saveLate(request));
  }

  /** Labels that are paid for and wait for the database to come back. */
  get unsavedLabels(): number {
    return this.#unsaved.size;
  }

  async begin(asked: BeginRequest): Promise<BeginResult> {
    const request = await this.#canonical(asked);
    if ("kind" in request) return request;
    // A label that could not be stored comes first, or it would be bought again.
    if (this.#unsaved.size > 0) await this.#unsaved.save(request.key);
    const begun = await this.#begins.add(request);
    if (begun.kind === "claimed") this.#leases.hold(request);
    const maybeClaimed = begun.kind === "failed" && begun.cause === "unreachable";
    if (maybeClaimed && this.#orphans.length < ORPHANS_MAX) this.#orphans.push(request);
    if (begun.kind !== "failed" && this.#orphans.length > 0) this.#releaseOrphans();
    return begun;
  }

  async finish(asked: FinishRequest): Promise<FinishResult> {
    const request = await this.#canonical(asked);
    if ("kind" in request) return request;
    if (request.fresh) {
      const stored = await this.#store(request);
      if (stored.kind === "failed") this.#unsaved.keep(request);
      if (stored.kind !== "stored") return stored;
    }
    return await this.#apply(request);
  }

  async release(asked: ReleaseRequest): Promise<void> {
    this.#leases.drop(asked.claim);
    const request = await this.#canonical(asked);
    // A release that fails costs the next attempt the rest of the lease and nothing else.
    if (!("kind" in request)) await this.#releases.add(request);
  }

  async check(): Promise<StoreFailure | undefined> {
    try {
      this.#catalog.forget();
      const { statements } = await this.#catalog.known();
      await this.#catalog.database.run(statements.check, []);
      return undefined;
    } catch (error) {
      return this.#failure(error);
    }
  }

  /** Stores what can still be stored, and stops renewing. May be called twice. */
  async close(): Promise<void> {
    this.#leases.close();
    await this.#unsaved.close();
  }

  /** Without it, whoever asks again would wait for the rest of a lease that nobody uses. */
  #releaseOrphans(): void {
    for (const request of this.#orphans.splice(0)) {
      void this.#releases.add({ ...request, failedCalls: 0 });
    }
  }

  /** The claim is renewed until the label is stored. */
  async #store(request: FinishRequest): Promise<Stored> {
    const stored = await this.#stores.add(request);
    if (stored.kind !== "failed") this.#leases.drop(request.claim);
    return stored;
  }

  /** Nobody waits for the answer any more: whether the ticket's row can be written now is left to the next delivery. */
  async #saveLate(request: FinishRequest): Promise<boolean> {
    const stored = await this.#store(request);
    if (stored.kind === "stored") await this.#applies.add(request);
    return stored.kind !== "failed";
  }

  async #apply(request: BeginRequest): Promise<FinishResult> {
    for (const waitMs of ROW_WAITS_MS) {
      const applied = await this.#applies.add(request);
      if (applied.kind !== "row_locked") return applied;
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
    return await this.#applies.add(request);
  }

  #begun(row: BeginRow): BeginResult {
    if (row.contradicted === true && row.verdict !== "overridden") this.#events.onContradiction?.();
    return beginResultOf(row);
  }

  /** Right after an outage leases have run out that their holders could not renew: they get the time to do so. */
  #mayTakeOver(): boolean {
    return this.#nowMs() - this.#awayAtMs > LEASE_S * 1_000;
  }

  #nowMs(): number {
    return this.#events.nowMs?.() ?? performance.now();
  }

  #canonical<R extends BeginRequest>(request: R): R | StoreFailure | Promise<R | StoreFailure> {
    const ticketId = this.#catalog.canonical(request.key.ticketId);
    return ticketId instanceof Promise
      ? ticketId.then((id) => withId(request, id))
      : withId(request, ticketId);
  }

  #grouped<
    R extends BeginRequest,
    Result extends { readonly kind: string },
    RowType extends Row & { ord: number },
  >(
    statement: GroupStatement<R, Result, RowType>,
    keyOf: (request: R) => string,
  ): GroupCommit<R, Result | StoreFailure> {
    return new GroupCommit((requests) => this.#group(statement, requests), keyOf, GROUP);
  }

  /** Runs one statement for a group. When a single item is to blame, each goes alone, so that it takes nobody along. */
  async #group<R extends BeginRequest, Result, RowType extends Row & { ord: number }>(
    statement: GroupStatement<R, Result, RowType>,
    requests: readonly R[],
  ): Promise<(Result | StoreFailure)[]> {
    try {
      const { statements } = await this.#catalog.known();
      const results = requests.map(() => statement.otherwise);
      const rows = await this.#catalog.database.run<RowType>(statements[statement.name], [
        statement.items(requests),
      ], { summary: statement.name, items: requests.length });
      for (const row of rows) results[row.ord] = statement.resultOf(row);
      return results;
    } catch (error) {
      const failure = this.#failure(error);
      if (failure.cause !== "unexpected" || requests.length === 1) return requests.map(() => failure);
      const alone = await Promise.all(requests.map((request) => this.#group(statement, [request])));
      return alone.flat();
    }
  }

  #failure(error: unknown): StoreFailure {
    const failure = storeFailure(error);
    if (failure.cause === "misconfigured") this.#catalog.forget();
    if (failure.cause === "unreachable" || failure.cause === "read_only") this.#awayAtMs = this.#nowMs();
    return failure;
  }

  async #renew(requests: readonly BeginRequest[]): Promise<void> {
    const { statements } = await this.#catalog.known();
    await this.#catalog.database.run(statements.renew, [claimItems(requests)]);
  }
}

function withId<R extends BeginRequest>(request: R, ticketId: string | StoreFailure): R | StoreFailure {
  if (typeof ticketId !== "string") return ticketId;
  return ticketId === request.key.ticketId ? request : { ...request, key: { ...request.key, ticketId } };
}
