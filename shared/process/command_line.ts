// The command line of a program: its flags, and the refusal of all others with the nearest right one.

import { parseArgs, type ParseArgsConfig } from "node:util";
import { nearest } from "../nearest.ts";

/** A program as people call it. */
export interface Program {
  /** Its task in deno.json. */
  readonly task: string;
  /** The text of `--help`. */
  readonly usage: string;
  /** It reads `Deno.args` itself; otherwise it takes none. */
  readonly takesArguments?: true;
}

/** The command line cannot be used; the message is for people. */
export class UsageError extends TypeError {}

/**
 * Reads flags; `--help` and `--version` never come so far, as {@link Program} has them.
 *
 * @throws {UsageError} for a flag that is not there, lacks its value, or has one too many.
 */
export function parseFlags<T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const [, unknown] = /^Unknown option '(-[^']*)'/.exec(error.message) ?? [];
    if (unknown === undefined) throw new UsageError(error.message);
    const near = nearest(unknown, Object.keys(config.options ?? {}).map((name) => `--${name}`));
    throw new UsageError(`There is no ${unknown}${near === undefined ? "" : `: do you mean ${near}?`}`);
  }
}

/** Whether a flag is asked for, wherever it stands before `--`. */
export function asksFor(flag: string, args: readonly string[]): boolean {
  const end = args.indexOf("--");
  return (end < 0 ? args : args.slice(0, end)).includes(flag);
}

/**
 * Text with its commands as they can be typed here: who has Deno from npm's cache has no `deno` on the path.
 *
 * @param deno path of the running Deno.
 */
export function commandsAsStarted(text: string, deno: string = Deno.execPath()): string {
  if (!/[\\/]_npx[\\/]/.test(deno)) return text;
  return text.replace(/(?<!npx (?:-y )?)\bdeno task (?=[a-z])/g, "npx -y deno task ");
}
