// One client's session on the embedded Postgres. It holds the lock until its transaction is over, so clients never mix.
//
// PGlite is a single Postgres session. Shared message by message, two clients that use the extended protocol at once
// would take each other's unnamed portals ("portal \"\" does not exist"). So a client takes the lock with its first
// message and releases it with ReadyForQuery outside of a transaction.

import { closeConnection } from "../close_connection.ts";
import {
  fatalError,
  type Frame,
  FrameReader,
  joined,
  message,
  readyStatus,
  startupParameter,
} from "./frames.ts";
import { withoutCopyFromStdin } from "./copy_refusal.ts";
import type { Release, SessionLock } from "./session_lock.ts";

/** Runs messages in the one Postgres session and gives what it answers; throws when Postgres itself is gone. */
export type Execute = (messages: Uint8Array) => Promise<Uint8Array>;

/** What sessions of people and their programs are held to. Ours (`application_name` ackpool) are held to nothing. */
export interface OutsiderLimits {
  /** How long a transaction may be idle while others wait, in ms. */
  readonly idleMs: number;
  /** A statement begins; PGlite can neither be asked nor stopped until it ends. */
  readonly onBegin: () => void;
  readonly onEnd: () => void;
}

/** Messages after which Postgres answers: Query, Sync, Flush, FunctionCall, and the end of a copy. */
const ANSWERED = new Set(["Q", "S", "H", "F", "c", "f"]);
const NO_ENCRYPTION = new TextEncoder().encode("N");
const ROLLBACK = message("Q", new TextEncoder().encode("rollback\0"));
const SYNC = message("S", new Uint8Array(0));
const IDLE = fatalError(
  "25P03",
  "terminating connection due to idle-in-transaction timeout: the embedded Postgres does one thing at a time",
);

/** Serves one client of PGlite's single session. */
export class Session {
  readonly #execute: Execute;
  readonly #lock: SessionLock;
  readonly #limits: OutsiderLimits | undefined;
  readonly #frames = new FrameReader();
  readonly #prepared = new Set<string>();
  #unsent: Uint8Array[] = [];
  #outsider = false;
  #idle: ReturnType<typeof setTimeout> | undefined;
  #release: Release | undefined;

  constructor(execute: Execute, lock: SessionLock, limits?: OutsiderLimits) {
    this.#execute = execute;
    this.#lock = lock;
    this.#limits = limits;
  }

  /** Serves the client until it goes away. Throws only when Postgres itself is gone. */
  async serve(conn: Deno.Conn): Promise<void> {
    try {
      for await (const answer of this.#answers(chunksOf(conn))) {
        if (answer.length > 0) await writeAll(conn, answer);
        this.#watchIdleness(conn);
      }
    } catch (error) {
      if (!isClientsFault(error)) throw error;
    } finally {
      clearTimeout(this.#idle);
      closeConnection(conn);
      await this.#leave();
    }
  }

  async *#answers(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      for (const frame of this.#frames.push(chunk)) {
        if (frame.kind === "encryption_request") yield NO_ENCRYPTION;
        else if (frame.kind === "cancel_request" || (frame.kind === "message" && frame.type === "X")) return;
        else yield await this.#take(frame);
      }
    }
  }

  async #take(frame: Exclude<Frame, { kind: "encryption_request" | "cancel_request" }>): Promise<Uint8Array> {
    clearTimeout(this.#idle);
    if (frame.kind === "startup") {
      this.#unsent.push(frame.bytes);
      this.#outsider = !/^ackpool\b/.test(startupParameter(frame.bytes, "application_name") ?? "");
    } else {
      this.#unsent.push(withoutCopyFromStdin(frame.type, frame.bytes));
      if (frame.type === "P") this.#remember(frame.bytes);
      if (!ANSWERED.has(frame.type)) return new Uint8Array(0);
    }
    const messages = joined(this.#unsent);
    this.#unsent = [];
    this.#release ??= await this.#lock.take();
    const answer = await this.#run(messages);
    if (readyStatus(answer) === "I") this.#unlock();
    return answer;
  }

  async #run(messages: Uint8Array): Promise<Uint8Array> {
    const limits = this.#outsider ? this.#limits : undefined;
    limits?.onBegin();
    try {
      return await this.#execute(messages);
    } finally {
      limits?.onEnd();
    }
  }

  /** A transaction that somebody has left open would keep everybody else out. */
  #watchIdleness(conn: Deno.Conn): void {
    if (!this.#outsider || this.#limits === undefined || this.#release === undefined) return;
    clearTimeout(this.#idle);
    this.#idle = setTimeout(async () => {
      if (!this.#lock.isAwaited) return this.#watchIdleness(conn);
      await writeAll(conn, IDLE).catch(() => {});
      closeConnection(conn);
    }, this.#limits.idleMs);
  }

  /** A named statement outlives its client in PGlite's one session, so it is closed when the client leaves. */
  #remember(parse: Uint8Array): void {
    const name = new TextDecoder().decode(parse.subarray(5, parse.indexOf(0, 5)));
    if (name !== "") this.#prepared.add(name);
  }

  async #leave(): Promise<void> {
    const abandoned = this.#release !== undefined;
    if (!abandoned && this.#prepared.size === 0) return;
    try {
      this.#release ??= await this.#lock.take();
      if (abandoned) await this.#execute(joined([SYNC, ROLLBACK]));
      const closes = [...this.#prepared].map((name) => message("C", new TextEncoder().encode(`S${name}\0`)));
      await this.#execute(joined([...closes, SYNC]));
    } finally {
      this.#unlock();
    }
  }

  #unlock(): void {
    this.#release?.();
    this.#release = undefined;
  }
}

async function* chunksOf(conn: Deno.Conn): AsyncGenerator<Uint8Array> {
  for (;;) {
    const buffer = new Uint8Array(64 * 1024);
    const length = await conn.read(buffer);
    if (length === null) return;
    yield buffer.subarray(0, length);
  }
}

async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length;) written += await conn.write(bytes.subarray(written));
}

/** The connection broke, or what came over it is not the Postgres protocol. */
function isClientsFault(error: unknown): boolean {
  return error instanceof RangeError || error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.BrokenPipe || error instanceof Deno.errors.BadResource ||
    error instanceof Deno.errors.Interrupted || error instanceof Deno.errors.ConnectionAborted ||
    error instanceof Deno.errors.NotConnected;
}
