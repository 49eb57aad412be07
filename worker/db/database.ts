// The database: reconnects by itself, leaves connections that take no writes, and sorts errors by what they mean.

import type postgres from "postgres";
import { parseConnectionString, type PostgresTarget } from "../../shared/postgres/connection_string.ts";
import { tracedPart } from "../../shared/tracing/spans.ts";
import { statementSpan, type StatementSummary } from "./statement_span.ts";
import type { StoreFailure, StoreFailureCause } from "../core/label_store.ts";
import { openPool, type Parameter, type Pool, type Row } from "./pool.ts";

/** How the database is reached. */
export interface DatabaseConfig {
  /** See shared/postgres/connection_string.ts. */
  readonly url: string;
  /** Time limit of one statement, kept by the server; the client gives up a little later, should the server hang. */
  readonly statementTimeoutMs: number;
  readonly connectionsMax: number;
  /** Told at once of a failure for which the database cannot be used. */
  readonly onFailure?: (failure: StoreFailure) => void;
}

export type { Parameter, Row } from "./pool.ts";

const CLIENT_MARGIN_MS = 2_000;
/** How long a statement that loses to others is tried again. */
const RACE_PATIENCE_MS = 5_000;
const RACE_PAUSE_MAX_MS = 200;
/** What still runs on a pool that was left gets this long. */
const LEFT_POOL_GRACE_S = 5;

/** The server, or the way to it, hangs. */
class DatabaseTimeoutError extends Error {
  override readonly name = "DatabaseTimeoutError";
}

/** Outlives outages and failovers: a pool that cannot be used is left, and the next statement opens another. */
export class Database {
  readonly #config: DatabaseConfig;
  readonly #target: PostgresTarget;
  readonly #limitMs: number;
  #opening: Promise<Pool> | undefined;
  #statements = 0;
  #closed = false;

  /** @throws {ConnectionStringError} */
  constructor(config: DatabaseConfig) {
    this.#config = config;
    this.#target = parseConnectionString(config.url);
    this.#limitMs = config.statementTimeoutMs + CLIENT_MARGIN_MS;
  }

  /** Statements sent so far. */
  get statements(): number {
    return this.#statements;
  }

  /** Runs one statement; again where it lost to others (a serialization failure, a deadlock, a lock). */
  run<R extends Row>(
    statement: string,
    parameters: readonly Parameter[],
    about: StatementSummary = {},
  ): Promise<readonly R[]> {
    return tracedPart(
      () => statementSpan(this.#target, statement, about),
      () => this.#runToTheEnd<R>(statement, parameters),
    );
  }

  async #runToTheEnd<R extends Row>(
    statement: string,
    parameters: readonly Parameter[],
  ): Promise<readonly R[]> {
    const giveUpAtMs = performance.now() + RACE_PATIENCE_MS;
    for (let pauseMs = 5;; pauseMs = Math.min(2 * pauseMs, RACE_PAUSE_MAX_MS)) {
      try {
        return await this.#runOnce<R>(statement, parameters);
      } catch (error) {
        if (!lostARace(error) || performance.now() >= giveUpAtMs) throw error;
      }
      // Without chance the same two would meet again.
      await new Promise((resolve) => setTimeout(resolve, pauseMs * (0.5 + Math.random())));
    }
  }

  /** Runs several statements in a transaction on one connection, for migrations. */
  async transaction(body: (sql: postgres.TransactionSql) => Promise<void>): Promise<void> {
    // Who waited for a lock has to see what its holder did.
    await this.#use((pool) => pool.sql.begin("isolation level read committed", body));
  }

  /** Ends the pool; what runs gets a moment. May be called twice. */
  async close(): Promise<void> {
    this.#closed = true;
    const opening = this.#opening;
    this.#opening = undefined;
    const pool = await opening?.catch(() => undefined);
    await pool?.sql.end({ timeout: 2 });
  }

  async #runOnce<R extends Row>(statement: string, parameters: readonly Parameter[]): Promise<readonly R[]> {
    this.#statements++;
    return await this.#use((pool) => within(this.#limitMs, pool.run<R>(statement, parameters)));
  }

  async #use<T>(work: (pool: Pool) => Promise<T>): Promise<T> {
    if (this.#closed) throw new Error("The database is closed");
    const opening = this.#opening ??= within(this.#limitMs, openPool(this.#target, this.#config));
    try {
      return await work(await opening);
    } catch (error) {
      if (isPoolLost(error)) {
        this.#leave(opening, error instanceof DatabaseTimeoutError ? 0 : LEFT_POOL_GRACE_S);
      }
      const failure = storeFailure(error);
      if (isOutageCause(failure.cause)) this.#config.onFailure?.(failure);
      throw error;
    }
  }

  #leave(opening: Promise<Pool>, graceS: number): void {
    if (this.#opening !== opening) return;
    this.#opening = undefined;
    opening.then(({ sql }) => sql.end({ timeout: graceS })).catch(() => {});
  }
}

async function within<T>(limitMs: number, running: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const expired = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new DatabaseTimeoutError(`no answer within ${limitMs} ms`)), limitMs);
  });
  try {
    return await Promise.race([running, expired]);
  } finally {
    clearTimeout(timer);
    running.catch(() => {});
  }
}

/** SQLSTATE classes under which the server is not there for anybody: connection, resources, operator intervention. */
const AWAY = /^(08|53|57|58)/;
/** Waited too long, for a lock somebody else has or for its own end. */
const WAITED_TOO_LONG = /^(55P03|57014)$/;
/** Five digits and capitals; no class begins with E, so that EPIPE is none. */
const SQLSTATE = /^[0-9A-DF-Z][0-9A-Z]{4}$/;
/** Wrong database, password, rights, certificate file, or a table or column that is not there. */
const MISCONFIGURED = /^(28|3D|3F|42|F0)/;
/** Codes of Node's TLS for a certificate that is not accepted. */
const CERTIFICATE_REFUSED = /CERT|UNABLE_TO_(?:VERIFY|GET)|ALTNAME/;
/** A standby, or a server that was made read-only. */
const READ_ONLY = "25006";
/** The connection, or the server behind it, can do nothing any more. */
const CONNECTION_LOST = /^(08...|57P0[1-5]|25006)$/;
/** Statements that lost to one another and may simply run again. */
const LOST_A_RACE = /^(40001|40P01|55P03)$/;

/** Whether the same statement may succeed when run again in a moment. */
export function lostARace(error: unknown): boolean {
  return LOST_A_RACE.test(codeOf(error) ?? "");
}

/** Whether this cause lasts for everybody until the database, or its configuration, is another. */
export function isOutageCause(cause: StoreFailureCause): boolean {
  return cause === "unreachable" || cause === "read_only" || cause === "misconfigured";
}

/** Sorts an error of postgres.js. */
export function storeFailure(error: unknown): StoreFailure {
  const code = codeOf(error);
  const cause = causeOf(error, code);
  const message = error instanceof Error ? error.message : "unknown error";
  return { kind: "failed", cause, detail: detailOf(cause, code, message) };
}

function causeOf(error: unknown, code: string | undefined): StoreFailureCause {
  if (error instanceof DatabaseTimeoutError || code === undefined) return "unreachable";
  if (isReadOnly(code, error)) return "read_only";
  if (MISCONFIGURED.test(code) || (!SQLSTATE.test(code) && CERTIFICATE_REFUSED.test(code))) {
    return "misconfigured";
  }
  if (WAITED_TOO_LONG.test(code) || LOST_A_RACE.test(code)) return "busy";
  // postgres.js and the network name their codes in words: CONNECTION_CLOSED, ECONNREFUSED, CONNECT_TIMEOUT.
  return AWAY.test(code) || !SQLSTATE.test(code) ? "unreachable" : "unexpected";
}

function detailOf(cause: StoreFailureCause, code: string | undefined, message: string): string {
  // Messages of data errors may quote values.
  if (code === undefined || SQLSTATE.test(code)) {
    return cause === "unexpected" ? `SQLSTATE ${code}` : message;
  }
  if (CERTIFICATE_REFUSED.test(code)) {
    return `the server's certificate is not accepted (${message}): name its authority by sslrootcert=FILE, or take ` +
      "sslmode=require, which does not verify";
  }
  return /before secure TLS connection/.test(message)
    ? `${message}; a server without TLS does so: sslmode=prefer connects to it`
    : message;
}

/** Also what a server in recovery says under other codes. */
function isReadOnly(code: string, error: unknown): boolean {
  return code === READ_ONLY ||
    (/^(55000|0A000)$/.test(code) && error instanceof Error && /\brecovery\b|read-only/i.test(error.message));
}

function isPoolLost(error: unknown): boolean {
  const code = codeOf(error);
  if (code === undefined) return true;
  return !SQLSTATE.test(code) || CONNECTION_LOST.test(code) || isReadOnly(code, error) ||
    /^(28|3D|F0)/.test(code);
}

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}
