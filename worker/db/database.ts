// The connection to Postgres: time limits on both sides, reconnecting by itself, errors sorted by what they mean.

import postgres from "postgres";
import type { StoreFailure, StoreFailureCause } from "../core/label_store.ts";

/** How the database is reached. */
export interface DatabaseConfig {
  readonly url: string;
  /** Time limit of one statement, kept by the server; the client gives up a little later, should the server hang. */
  readonly statementTimeoutMs: number;
  readonly connectionsMax: number;
}

/** A value a statement takes. */
export type Parameter = string | number | boolean | null;
/** A row as it comes; the caller names its shape and owns the SQL that makes it true. */
export type Row = Record<string, unknown>;

const CLIENT_MARGIN_MS = 2_000;
const CONNECT_TIMEOUT_S = 5;

/** The server, or the way to it, hangs. */
class DatabaseTimeoutError extends Error {
  override readonly name = "DatabaseTimeoutError";
}

/** A pool that outlives the database's outages. */
export class Database {
  readonly #config: DatabaseConfig;
  #sql: postgres.Sql;
  #statements = 0;
  #closed = false;

  constructor(config: DatabaseConfig) {
    this.#config = config;
    this.#sql = connect(config);
  }

  /** Statements sent so far. */
  get statements(): number {
    return this.#statements;
  }

  /** Runs one prepared statement. */
  async run<R extends Row>(statement: string, parameters: readonly Parameter[]): Promise<readonly R[]> {
    this.#statements++;
    const sql = this.#sql;
    const running = sql.unsafe<R[]>(statement, [...parameters], { prepare: true });
    return await this.#limited(sql, running);
  }

  /** Runs several statements in a transaction on one connection, for migrations. */
  async transaction(body: (sql: postgres.TransactionSql) => Promise<void>): Promise<void> {
    await this.#sql.begin(body);
  }

  /** Ends the pool; what runs gets a moment. May be called twice. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#sql.end({ timeout: 2 });
  }

  /** A statement that outlasts even the client's limit sits on a dead connection: the pool is replaced. */
  async #limited<T>(sql: postgres.Sql, running: Promise<T>): Promise<T> {
    const limitMs = this.#config.statementTimeoutMs + CLIENT_MARGIN_MS;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const expired = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new DatabaseTimeoutError(`no answer within ${limitMs} ms`)), limitMs);
    });
    try {
      return await Promise.race([running, expired]);
    } catch (error) {
      if (error instanceof DatabaseTimeoutError && this.#sql === sql && !this.#closed) {
        running.catch(() => {});
        this.#sql = connect(this.#config);
        sql.end({ timeout: 0 }).catch(() => {});
      }
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }
}

function connect({ url, statementTimeoutMs, connectionsMax }: DatabaseConfig): postgres.Sql {
  return postgres(url, {
    max: connectionsMax,
    connect_timeout: CONNECT_TIMEOUT_S,
    // Long waits between attempts would outlast the outage.
    backoff: (retries) => Math.min(1, 0.1 * 2 ** retries),
    fetch_types: false,
    onnotice: () => {},
    connection: {
      application_name: "ackpool",
      statement_timeout: statementTimeoutMs,
      lock_timeout: Math.ceil(statementTimeoutMs / 5),
    },
  });
}

/** SQLSTATE classes under which the server is not there for anybody: connection, resources, operator intervention. */
const AWAY = /^(08|53|57|58)/;
/** Five digits and capitals; no class begins with E, so that EPIPE is none. */
const SQLSTATE = /^[0-9A-DF-Z][0-9A-Z]{4}$/;
/** Wrong database, password, rights, or a table or column that is not there. */
const MISCONFIGURED = /^(28|3D|3F|42)/;
/** Statements that lost to one another and may simply run again. */
const LOST_A_RACE = /^(40001|40P01)$/;
/** A statement that waited too long: for a row somebody else has locked, or for its own end. */
const WAITED_TOO_LONG = /^(55P03|57014)$/;

/** Whether the same statement may succeed when run again at once. */
export function lostARace(error: unknown): boolean {
  return LOST_A_RACE.test(codeOf(error) ?? "");
}

/** Sorts an error of postgres.js. */
export function storeFailure(error: unknown): StoreFailure {
  const code = codeOf(error);
  const cause = causeOf(error, code);
  const said = error instanceof Error ? error.message : "unknown error";
  // Messages of data errors may quote values.
  const detail = cause === "unexpected" && code !== undefined ? `SQLSTATE ${code}` : said;
  return { kind: "failed", cause, detail };
}

function causeOf(error: unknown, code: string | undefined): StoreFailureCause {
  if (error instanceof DatabaseTimeoutError || code === undefined) return "unreachable";
  if (MISCONFIGURED.test(code)) return "misconfigured";
  // postgres.js and the network name their codes in words: CONNECTION_CLOSED, ECONNREFUSED, CONNECT_TIMEOUT.
  if (WAITED_TOO_LONG.test(code)) return "unexpected";
  return AWAY.test(code) || !SQLSTATE.test(code) ? "unreachable" : "unexpected";
}

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}
