// The table catalogue: the tickets table's id type and its statements, read once and forgotten when the database says otherwise.

import type { StoreFailure } from "../core/label_store.ts";
import { type Database, storeFailure } from "./database.ts";
import { type Statements, statementsFor } from "./statements.ts";
import {
  canonicalId,
  type IdType,
  misconfigured,
  readTableFacts,
  type TicketsTable,
} from "./tickets_table.ts";

/** The table's id type and the statements made for it. */
export interface KnownTable {
  readonly idType: IdType;
  readonly statements: Statements;
}

/** The tickets table as the database's catalogue describes it. */
export class TableCatalog {
  #known: Promise<KnownTable> | undefined;
  /** What the catalogue said, until it is forgotten. */
  #current: KnownTable | undefined;
  /** The last type that was read: it tells what a label in hand belongs to while the database is away. */
  #idType: IdType | undefined;

  constructor(readonly database: Database, readonly table: TicketsTable) {}

  /** Rejects with the database's error while it cannot be read. */
  known(): Promise<KnownTable> {
    return this.#known ??= this.#read();
  }

  /** Reads it anew next time. */
  forget(): void {
    this.#known = undefined;
    this.#current = undefined;
  }

  /** An id as the column would show it: at once where the table is known. */
  canonical(ticketId: string): string | StoreFailure | Promise<string | StoreFailure> {
    return this.#current === undefined
      ? this.#canonicalOnceKnown(ticketId)
      : this.#canonicalAs(this.#current.idType, ticketId);
  }

  async #canonicalOnceKnown(ticketId: string): Promise<string | StoreFailure> {
    try {
      return this.#canonicalAs((await this.known()).idType, ticketId);
    } catch (error) {
      return this.#idType === undefined ? storeFailure(error) : this.#canonicalAs(this.#idType, ticketId);
    }
  }

  #canonicalAs(idType: IdType, ticketId: string): string | StoreFailure {
    return canonicalId(idType, ticketId) ??
      { kind: "failed", cause: "bad_id", detail: `Ticket ids are of type ${idType} here` };
  }

  async #read(): Promise<KnownTable> {
    try {
      const query = this.database.run.bind(this.database);
      const facts = await readTableFacts(query, this.table);
      if (facts === undefined) {
        throw misconfigured("42P01", `table ${this.table.name} is not there: run deno task migrate`);
      }
      this.#idType = facts.idType;
      return this.#current = { idType: facts.idType, statements: statementsFor(this.table, facts) };
    } catch (error) {
      this.forget();
      throw error;
    }
  }
}
