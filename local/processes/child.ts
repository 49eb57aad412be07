// One child process of `start`: ends with its parent, is read line by line, stopped politely and then firmly.

import { type ChildLine, parseChildLine } from "./child_output.ts";
import { projectPath } from "../project.ts";
import { linesOf } from "./lines.ts";

/** How a child is run. */
export interface ChildCommand {
  /** What people call it: `worker 1`, `kafka`. */
  readonly name: string;
  /** Arguments of `deno`. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** A child ended before it was ready. `lastLines` are for people. */
export class ChildFailedError extends Error {
  override readonly name = "ChildFailedError";
  constructor(readonly child: string, readonly code: number, readonly lastLines: readonly string[]) {
    super(`${child} ended with code ${code}`);
  }
}

/** Called with each line of standard output and standard error. */
export type OnLine = (line: ChildLine) => void;

const LAST_LINES_MAX = 20;

/**
 * One child process of `start`: ends with its parent, is read line by line, stopped politely and then firmly.
 */
export class Child {
  readonly name: string;
  readonly #process: Deno.ChildProcess;
  readonly #listeners = new Set<OnLine>();
  readonly #lastLines: ChildLine[] = [];
  readonly #ended: Promise<Deno.CommandStatus>;
  #running = true;

  constructor({ name, args, env }: ChildCommand, onLine: OnLine = () => {}) {
    this.name = name;
    this.#listeners.add(onLine);
    this.#process = new Deno.Command(Deno.execPath(), {
      args: [...args],
      // Flags of the tasks name folders of the project.
      cwd: projectPath(""),
      env: { NO_COLOR: "1", ...env },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
      // A session of its own: Ctrl-C in a terminal reaches `start` alone, which stops the children in their order.
      detached: true,
    }).spawn();
    const read = Promise.all([this.#read(this.#process.stdout), this.#read(this.#process.stderr)]);
    this.#ended = Promise.all([this.#process.status, read]).then(([status]) => {
      this.#running = false;
      return status;
    });
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** Resolves when the process is gone and all its output has been read. */
  get ended(): Promise<Deno.CommandStatus> {
    return this.#ended;
  }

  /**
   * Resolves with the first thing `pick` makes of a line.
   *
   * @throws {ChildFailedError} when the child ends before that.
   */
  async waitFor<T>(pick: (line: ChildLine) => T | undefined): Promise<T> {
    const { promise, resolve } = Promise.withResolvers<T>();
    const listener: OnLine = (line) => {
      const picked = pick(line);
      if (picked !== undefined) resolve(picked);
    };
    this.#listeners.add(listener);
    for (const line of this.#lastLines) listener(line);
    const failed = this.#ended.then((status) => {
      throw this.failure(status);
    });
    try {
      return await Promise.race([promise, failed]);
    } finally {
      this.#listeners.delete(listener);
    }
  }

  /** Describes an end that nobody asked for. */
  failure(status: Deno.CommandStatus): ChildFailedError {
    const problems = this.#lastLines.filter((line) => line.kind === "text" || line.level === "error");
    return new ChildFailedError(this.name, status.code, problems.map(problemText));
  }

  /** Asks the child to stop and ends it after `graceMs`. May be called twice. */
  async stop(graceMs: number): Promise<void> {
    this.#signal("SIGTERM");
    const timer = setTimeout(() => this.kill(), graceMs);
    await this.#ended;
    clearTimeout(timer);
  }

  /** Ends the child at once. */
  kill(): void {
    this.#signal("SIGKILL");
  }

  #signal(signal: Deno.Signal): void {
    if (!this.#running) return;
    try {
      this.#process.kill(signal);
    } catch (error) {
      // It ended by itself in the meantime.
      if (!(error instanceof TypeError || error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<void> {
    for await (const line of linesOf(stream)) this.#onLine(line);
  }

  #onLine(text: string): void {
    if (text.trim() === "") return;
    const line = parseChildLine(text);
    this.#lastLines.push(line);
    if (this.#lastLines.length > LAST_LINES_MAX) this.#lastLines.shift();
    for (const listener of [...this.#listeners]) listener(line);
  }
}

function problemText(line: ChildLine): string {
  if (line.kind === "text") return line.text;
  const reason = line.properties["reason"];
  return typeof reason === "string" ? reason : line.message;
}
