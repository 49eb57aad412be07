// A pool of connections to the host that takes writes, with time limits that hold behind poolers, too.

import type postgres from "postgres";
import type { PostgresHost, PostgresTarget } from "../../shared/postgres/connection_string.ts";
import { connect } from "./connect.ts";

/** A value a statement takes. */
export type Parameter = string | number | boolean | null;
/** A row as it comes; the caller names its shape and owns the SQL that makes it true. */
export type Row = Record<string, unknown>;

/** Limits of a pool. */
export interface PoolLimits {
  readonly statementTimeoutMs: number;
  readonly connectionsMax: number;
}

/** An open pool. */
export interface Pool {
  readonly sql: postgres.Sql;
  /** Runs one statement within its time limit. */
  readonly run: <R extends Row>(statement: string, parameters: readonly Parameter[]) => Promise<readonly R[]>;
}

/** `pid` by the server's own word; a pooler has told the client another one. */
const PROBE = "select pg_backend_pid() as pid, current_setting('transaction_read_only') as read_only";

/**
 * Opens a pool to the first host that takes writes. A host's own server gets the time limits with the start-up packet;
 * through a pooler, which may refuse them and mixes sessions, they are set in each transaction, and nothing is prepared.
 *
 * @throws {Error} the last host's error; SQLSTATE 25006 where it takes no writes.
 */
export async function openPool(target: PostgresTarget, limits: PoolLimits): Promise<Pool> {
  let failure: unknown;
  for (const host of target.hosts) {
    try {
      const direct = await probe(target, host) && !target.pooled;
      return direct ? directPool(target, host, limits) : pooledPool(target, host, limits);
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

/** Whether it is the server itself that answers. */
async function probe(target: PostgresTarget, host: PostgresHost): Promise<boolean> {
  const sql = connect(target, host, { connectionsMax: 1, prepare: false });
  try {
    const rows = await sql.unsafe<{ pid: number; read_only: string }[]>(PROBE);
    const [row] = rows;
    if (row?.read_only === "on") {
      throw Object.assign(new Error("the database takes no writes: it is a standby, or was made read-only"), {
        code: "25006",
      });
    }
    return rows.state.pid === row?.pid;
  } finally {
    sql.end({ timeout: 1 }).catch(() => {});
  }
}

function directPool(target: PostgresTarget, host: PostgresHost, limits: PoolLimits): Pool {
  const { statementTimeoutMs, connectionsMax } = limits;
  const session = { statement_timeout: statementTimeoutMs, lock_timeout: lockTimeoutMs(limits) };
  const sql = connect(target, host, { connectionsMax, session, prepare: true });
  return {
    sql,
    run: <R extends Row>(statement: string, parameters: readonly Parameter[]) =>
      sql.unsafe<R[]>(statement, [...parameters], { prepare: true }),
  };
}

function pooledPool(target: PostgresTarget, host: PostgresHost, limits: PoolLimits): Pool {
  const sql = connect(target, host, { connectionsMax: limits.connectionsMax, prepare: false });
  const setLimits = `set local statement_timeout = ${limits.statementTimeoutMs};
    set local lock_timeout = ${lockTimeoutMs(limits)}`;
  return {
    sql,
    run: async <R extends Row>(statement: string, parameters: readonly Parameter[]) => {
      const [, rows] = await sql.begin((transaction) => [
        transaction.unsafe(setLimits),
        transaction.unsafe<R[]>(statement, [...parameters]),
      ]);
      return rows;
    },
  };
}

function lockTimeoutMs({ statementTimeoutMs }: PoolLimits): number {
  return Math.ceil(statementTimeoutMs / 5);
}
