// The start and end of every program: help and version, plain lines on standard error, an exit code. Only main files import it.

import { misspellings, misspeltVariables } from "../config/misspelt.ts";
import { ConfigError } from "../config/read.ts";
import { VERSION } from "../version.ts";
export { EXIT } from "./exit_codes.ts";
import {
  asksFor,
  type CommandLine,
  commandsAsStarted,
  type Flags,
  helpText,
  parseFlags,
  type Program,
  UsageError,
} from "./command_line.ts";
import { EXIT } from "./exit_codes.ts";
import { StartError } from "./start_error.ts";

/** Runs a main function; a failed start is reported in plain lines on standard error, and decides the exit code. */
export async function runMain(main: () => number | Promise<number>, program: Program): Promise<never> {
  try {
    answerAboutItself(program);
    warnOfMisspeltVariables();
    Deno.exit(await main());
  } catch (error) {
    return exitFor(error, program);
  }
}

/** The flags of a program that has no main function: what they cannot be ends it as {@link runMain} does. */
export function flagsOrExit<F extends Flags>(
  program: Program,
  commandLine: CommandLine<F>,
): ReturnType<typeof parseFlags<F>> {
  try {
    answerAboutItself({ ...program, takesArguments: true });
    return parseFlags(commandLine);
  } catch (error) {
    return exitFor(error, program);
  }
}

/** The parts of a program that another one serves (`deno serve`), or the end of the process as {@link runMain} has it. */
export function partsOrExit<T>(program: Program, make: () => T): T {
  try {
    answerAboutItself(program);
    warnOfMisspeltVariables();
    return make();
  } catch (error) {
    return exitFor(error, program);
  }
}

function exitFor(error: unknown, { task }: Program): never {
  if (error instanceof ConfigError) exitWith(EXIT.config, error.problems);
  if (error instanceof StartError) exitWith(EXIT.failed, [error.message]);
  if (!(error instanceof UsageError)) throw error;
  exitWith(EXIT.config, [error.message, `deno task ${task} --help shows what it takes`]);
}

/** Ends the process where it is asked for its help or its version. Refuses arguments where it takes none. */
function answerAboutItself(program: Program): void {
  const { task, takesArguments } = program;
  const version = asksFor("--version", Deno.args)
    ? `${["ackpool", task === "ackpool" ? "" : task, VERSION].filter(Boolean).join(" ")}\n`
    : undefined;
  const help = asksFor("--help", Deno.args) || asksFor("-h", Deno.args) ? helpText(program) : undefined;
  const answer = version ?? help;
  if (answer !== undefined) {
    print(Deno.stdout, answer);
    Deno.exit(EXIT.ok);
  }
  if (takesArguments !== true) parseFlags({ args: Deno.args, options: {} });
}

/** A misspelt variable is as good as none, so it is named before anything goes on without it. */
function warnOfMisspeltVariables(): void {
  printErrors(misspeltVariables(visibleNames()));
}

/** A program that may not list its environment looks for names near those it reads. */
function visibleNames(): readonly string[] {
  if (Deno.permissions.querySync({ name: "env" }).state === "granted") {
    return Object.keys(Deno.env.toObject());
  }
  return [...misspellings()].filter((name) =>
    Deno.permissions.querySync({ name: "env", variable: name }).state === "granted" && Deno.env.has(name)
  );
}

function exitWith(code: number, lines: readonly string[]): never {
  printErrors(lines);
  return Deno.exit(code);
}

function printErrors(lines: readonly string[]): void {
  print(Deno.stderr, lines.map((line) => `ackpool: ${line}\n`).join(""));
}

function print(stream: typeof Deno.stdout | typeof Deno.stderr, text: string): void {
  stream.writeSync(new TextEncoder().encode(commandsAsStarted(text)));
}
