// The label store on Postgres: requests that meet share a statement, claims are renewed, paid labels outlive an outage.

import type {
  BeginRequest,
  BeginResult,
  FinishRequest,
  FinishResult,
  LabelStore,
  StoreFailure,
} from "../core/label_store.ts";
import { ClaimLeases } from "./claim_leases.ts";
import { lostARace, type Row, storeFailure } from "./database.ts";
import { GroupCommit } from "./group_commit.ts";
import { beginResultOf, finishResultOf, itemsOf } from "./label_rows.ts";
import type { TableCatalog } from "./table_catalog.ts";
import { isOutage, UnsavedLabels } from "./unsaved_labels.ts";

const GROUP = { itemsMax: 256, lingerMs: 1 };
const RACES_MAX = 5;
/** Beyond this many, claims are left to their leases. */
const ORPHANS_MAX = 1_000;

type Kind = "begin" | "finish" | "release";
type Released = { readonly kind: "released" } | StoreFailure;

/** See {@link LabelStore}. */
export class PostgresLabelStore implements LabelStore {
  readonly #catalog: TableCatalog;
  readonly #begins: GroupCommit<BeginRequest, BeginResult>;
  readonly #finishes: GroupCommit<FinishRequest, FinishResult>;
  readonly #releases: GroupCommit<BeginRequest, Released>;
  readonly #leases: ClaimLeases;
  readonly #unsaved: UnsavedLabels;
  /** Claims that may have been committed while their answer got lost. */
  readonly #orphans: BeginRequest[] = [];

  constructor(catalog: TableCatalog) {
    this.#catalog = catalog;
    const byTicket = ({ key }: BeginRequest) => key.ticketId;
    this.#begins = new GroupCommit(
      (requests) => this.#group("begin", requests, beginResultOf),
      byTicket,
      GROUP,
    );
    this.#finishes = new GroupCommit(
      (requests: readonly FinishRequest[]) => this.#group("finish", requests, finishResultOf),
      byTicket,
      GROUP,
    );
    this.#releases = new GroupCommit((requests) => this.#releaseGroup(requests), ({ claim }) => claim, GROUP);
    this.#leases = new ClaimLeases((requests) => this.#renew(requests));
    this.#unsaved = new UnsavedLabels((request) => this.#store(request));
  }

  /** Labels that are paid for and wait for the database to come back. */
  get unsavedLabels(): number {
    return this.#unsaved.size;
  }

  async begin(asked: BeginRequest): Promise<BeginResult> {
    const request = await this.#canonical(asked);
    if ("kind" in request) return request;
    // A label that an outage kept from being stored comes first, or it would be bought again.
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
    const finished = await this.#store(request);
    if (request.fresh && isOutage(finished)) this.#unsaved.keep(request);
    return finished;
  }

  async release(asked: BeginRequest): Promise<void> {
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
      return storeFailure(error);
    }
  }

  /** Stores what can still be stored, and stops renewing. May be called twice. */
  async close(): Promise<void> {
    this.#leases.close();
    await this.#unsaved.close();
  }

  /** Without it, whoever asks again would wait for the rest of a lease that nobody uses. */
  #releaseOrphans(): void {
    for (const request of this.#orphans.splice(0)) void this.#releases.add(request);
  }

  /** The claim is renewed until the label is stored, or can never be. */
  async #store(request: FinishRequest): Promise<FinishResult> {
    const finished = await this.#finishes.add(request);
    if (!isOutage(finished)) this.#leases.drop(request.claim);
    return finished;
  }

  #canonical<R extends BeginRequest>(request: R): R | StoreFailure | Promise<R | StoreFailure> {
    const ticketId = this.#catalog.canonical(request.key.ticketId);
    return ticketId instanceof Promise
      ? ticketId.then((id) => withId(request, id))
      : withId(request, ticketId);
  }

  /** Runs one statement for a group. When a single item is to blame, each goes alone, so that it takes nobody along. */
  async #group<R extends BeginRequest | FinishRequest, Result, RowType extends Row & { ord: number }>(
    kind: Kind,
    requests: readonly R[],
    resultOf: (row: RowType, request: R) => Result,
  ): Promise<(Result | StoreFailure)[]> {
    try {
      return await this.#statement(kind, requests, resultOf);
    } catch (error) {
      const failure = storeFailure(error);
      if (failure.cause === "misconfigured") this.#catalog.forget();
      if (failure.cause !== "unexpected" || requests.length === 1) return requests.map(() => failure);
      const alone = await Promise.all(requests.map((request) => this.#group(kind, [request], resultOf)));
      return alone.flat();
    }
  }

  async #statement<R extends BeginRequest | FinishRequest, Result, RowType extends Row & { ord: number }>(
    kind: Kind,
    requests: readonly R[],
    resultOf: (row: RowType, request: R) => Result,
  ): Promise<Result[]> {
    const { statements } = await this.#catalog.known();
    const results: Result[] = [];
    for (const row of await this.#runAgain<RowType>(statements[kind], itemsOf(requests))) {
      const request = requests[row.ord];
      if (request !== undefined) results[row.ord] = resultOf(row, request);
    }
    return results;
  }

  async #runAgain<RowType extends Row>(statement: string, items: string): Promise<readonly RowType[]> {
    for (let races = 1;; races++) {
      try {
        return await this.#catalog.database.run<RowType>(statement, [items]);
      } catch (error) {
        if (!lostARace(error) || races >= RACES_MAX) throw error;
      }
    }
  }

  async #releaseGroup(requests: readonly BeginRequest[]): Promise<Released[]> {
    const failures = await this.#group("release", requests, () => ({ kind: "released" } as const));
    return requests.map((_, at) => failures[at] ?? { kind: "released" });
  }

  async #renew(requests: readonly BeginRequest[]): Promise<void> {
    const { statements } = await this.#catalog.known();
    await this.#runAgain(statements.renew, itemsOf(requests));
  }
}

function withId<R extends BeginRequest>(request: R, ticketId: string | StoreFailure): R | StoreFailure {
  if (typeof ticketId !== "string") return ticketId;
  return ticketId === request.key.ticketId ? request : { ...request, key: { ...request.key, ticketId } };
}
