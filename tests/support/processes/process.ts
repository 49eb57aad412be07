// A child process under test: started with an environment of its own, its log lines collected, never left behind.

import { linesOf } from "../../../local/processes/lines.ts";

/** One line a child wrote. */
export interface LogLine {
  readonly text: string;
  /** When it was read here, in ms since the epoch. */
  readonly atMs: number;
  /** The line as JSON; empty when it is not a JSON object. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** How a child is started. */
export interface ChildOptions {
  /** What failures call it. */
  readonly name: string;
  readonly command: string;
  readonly args?: readonly string[];
  /** Its whole environment besides PATH, HOME, DENO_DIR and how the network is reached. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** The user it runs as; root only. */
  readonly user?: string;
  /** Lines kept; older ones are dropped. All by default. */
  readonly linesMax?: number;
}

const OUTPUT_AFTER_END_MS = 1000;
// How the machine reaches the package registry, and whose certificates it trusts, is the machine's own affair.
const NETWORK = [
  "DENO_TLS_CA_STORE",
  "DENO_CERT",
  "NODE_EXTRA_CA_CERTS",
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "NO_PROXY",
];
/** What a child has of our environment, where it is set. */
export const INHERITED: readonly string[] = [
  "PATH",
  "HOME",
  "DENO_DIR",
  "LANG",
  ...NETWORK,
  ...NETWORK.map((name) => name.toLowerCase()),
];
const alive = new Set<Child>();
globalThis.addEventListener("unload", () => alive.forEach((child) => child.kill("SIGKILL")));

/** A running child. `await using` ends it, at the latest with SIGKILL. */
export class Child implements AsyncDisposable {
  readonly lines: LogLine[] = [];
  readonly #process: Deno.ChildProcess;
  readonly #watchers = new Set<(line: LogLine) => void>();
  readonly #linesMax: number;
  #status: Deno.CommandStatus | undefined;
  /** Resolves when the child has ended and all its output is read. */
  readonly exit: Promise<Deno.CommandStatus>;

  constructor(readonly name: string, process: Deno.ChildProcess, linesMax: number) {
    this.#process = process;
    this.#linesMax = linesMax;
    alive.add(this);
    this.exit = this.#untilExit();
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** Undefined while it runs. */
  get status(): Deno.CommandStatus | undefined {
    return this.#status;
  }

  /** Calls back for every line from now on; the result ends that. */
  onLine(watcher: (line: LogLine) => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /**
   * The first line that fits, among those already written too.
   *
   * @throws {Error} with the last lines when the child ends or `timeoutMs` passes first.
   */
  async waitForLine(fits: (line: LogLine) => boolean, timeoutMs = 30_000): Promise<LogLine> {
    const written = this.lines.find(fits);
    if (written !== undefined) return written;
    const { promise, resolve, reject } = Promise.withResolvers<LogLine>();
    const stop = this.onLine((line) => fits(line) && resolve(line));
    const timer = setTimeout(
      () => reject(this.failure(`did not write the expected line in ${timeoutMs} ms`)),
      timeoutMs,
    );
    this.exit.then(() => reject(this.failure("ended without the expected line")));
    return await promise.finally(() => {
      clearTimeout(timer);
      stop();
    });
  }

  /** Sends a signal; nothing happens where the child has ended already. */
  kill(signal: Deno.Signal): void {
    if (this.#status !== undefined) return;
    try {
      this.#process.kill(signal);
    } catch (error) {
      if (!(error instanceof TypeError || error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  /**
   * Sends a signal and waits for the end.
   *
   * @throws {Error} when it has not ended after `timeoutMs`.
   */
  async end(signal: Deno.Signal, timeoutMs = 40_000): Promise<Deno.CommandStatus> {
    this.kill(signal);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(this.failure(`still ran ${timeoutMs} ms after ${signal}`)), timeoutMs);
    });
    return await Promise.race([this.exit, late]).finally(() => clearTimeout(timer));
  }

  /** An error that shows what the child wrote last. */
  failure(what: string): Error {
    const status = this.#status === undefined ? "" : ` (exit ${this.#status.signal ?? this.#status.code})`;
    const last = this.lines.slice(-30).map((line) => `  ${line.text}`).join("\n");
    return new Error(`${this.name} ${what}${status}; its last lines:\n${last}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill("SIGKILL");
    await this.exit;
  }

  async #untilExit(): Promise<Deno.CommandStatus> {
    const readers = [this.#process.stdout.getReader(), this.#process.stderr.getReader()];
    const collected = Promise.all(readers.map((reader) => this.#collect(reader)));
    const status = await this.#process.status;
    // Output may be held open by a process that the child started and left behind.
    const timer = setTimeout(() => readers.forEach((reader) => reader.cancel()), OUTPUT_AFTER_END_MS);
    await collected;
    clearTimeout(timer);
    this.#status = status;
    alive.delete(this);
    return status;
  }

  async #collect(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
    for await (const text of linesOf(chunksOf(reader))) {
      const line = { text, atMs: Date.now(), fields: jsonObject(text) };
      this.lines.push(line);
      if (this.lines.length > this.#linesMax) this.lines.splice(0, this.lines.length - this.#linesMax);
      for (const watcher of this.#watchers) watcher(line);
    }
  }
}

/** What a reader reads; it may be cancelled meanwhile. */
async function* chunksOf(reader: ReadableStreamDefaultReader<Uint8Array>): AsyncGenerator<Uint8Array> {
  for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) yield chunk.value;
}

/** Starts a child. On Linux the kernel ends it, too, should this process die without a chance to. */
export function startChild(options: ChildOptions): Child {
  const { command, args = [], env = {}, cwd, user, linesMax = Infinity } = options;
  const wrapped = Deno.build.os === "linux" ? ["setpriv", "--pdeathsig", "KILL", ...asUser(user), command] : [
    command,
  ];
  const [program, ...front] = wrapped as [string, ...string[]];
  const process = new Deno.Command(program, {
    args: [...front, ...args],
    clearEnv: true,
    env: { ...inherited(), ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    ...(cwd === undefined ? {} : { cwd }),
  }).spawn();
  return new Child(options.name, process, linesMax);
}

const asUser = (user: string | undefined): string[] =>
  user === undefined ? [] : ["--reuid", user, "--regid", user, "--init-groups"];

/** The part of our environment that a child has. */
export function inherited(): Record<string, string> {
  const set = INHERITED.map((name) => [name, Deno.env.get(name)]).filter(([, value]) => value !== undefined);
  return Object.fromEntries(set);
}

function jsonObject(text: string): Record<string, unknown> {
  if (!text.startsWith("{")) return {};
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
