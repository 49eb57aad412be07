// The command line of a program: its flags, its help, and the refusal of all other flags with the nearest right one.

import { Command, CommanderError, Option } from "commander";

/** One flag of a program. */
export interface Flag {
  readonly type: "string" | "boolean";
  /** It may be given again. */
  readonly multiple?: boolean;
  readonly default?: string | boolean;
  /** What help says about it; a flag without this is described by the usage. */
  readonly about?: string;
  /** What help calls its value; `VALUE` where nothing is said. */
  readonly value?: string;
}

/** The flags of a program by their names, without the dashes. */
export type Flags = Readonly<Record<string, Flag>>;

type ValueOf<F extends Flag> = F["type"] extends "boolean" ? boolean
  : F extends { readonly multiple: true } ? string[]
  : string;

/** What was given, or the defaults. */
export type FlagValues<F extends Flags> =
  & {
    [Name in keyof F as F[Name] extends { readonly default: string | boolean } ? Name : never]: ValueOf<
      F[Name]
    >;
  }
  & {
    [Name in keyof F as F[Name] extends { readonly default: string | boolean } ? never : Name]?:
      | ValueOf<F[Name]>
      | undefined;
  };

/** A program as people call it. */
export interface Program {
  /** Its task in deno.json. */
  readonly task: string;
  /** What it does, in a sentence or more. */
  readonly usage: string;
  /** It reads `Deno.args` itself; otherwise it takes none. */
  readonly takesArguments?: true;
  /** Its flags, for help and completion. */
  readonly options?: Flags;
  /** The words it takes beside flags, as help shows them: `[FILE]`. */
  readonly words?: string;
  /** Command lines without `deno task`, each with what it does. */
  readonly examples?: readonly (readonly [commandLine: string, about: string])[];
  /** What else there is to know; it comes last. */
  readonly notes?: string;
  /** The text of `--help` where it is not made of all these. */
  readonly help?: () => string;
}

/** The command line cannot be used; the message is for people. */
export class UsageError extends TypeError {}

/** A command line to be read. */
export interface CommandLine<F extends Flags> {
  readonly args: readonly string[];
  readonly options: F;
  /** Words that are no flags are taken, too. */
  readonly allowPositionals?: boolean;
}

/**
 * Reads flags; `--help` and `--version` never come so far, as {@link Program} has them.
 *
 * @throws {UsageError} for a flag that is not there, lacks its value, or has one too many.
 */
export function parseFlags<F extends Flags>(
  { args, options, allowPositionals = false }: CommandLine<F>,
): { readonly values: FlagValues<F>; readonly positionals: string[] } {
  const command = commandWith(options);
  try {
    command.argument("[words...]").parse(args, { from: "user" });
  } catch (error) {
    throw error instanceof CommanderError ? new UsageError(plainWords(error)) : error;
  }
  const positionals = command.args;
  if (!allowPositionals && positionals.length > 0) {
    throw new UsageError(`It takes no ${JSON.stringify(positionals[0])}`);
  }
  const given: Readonly<Record<string, unknown>> = command.opts();
  const values = command.options.flatMap((option) => {
    const name = option.long?.slice(2) ?? "";
    const value = given[option.attributeName()];
    // Commander turns `--no-overlap` into `overlap: false`.
    const found = option.negate ? value === false || undefined : value;
    const known = found ?? options[name]?.default;
    return known === undefined ? [] : [[name, known]];
  });
  return { values: Object.fromEntries(values) as FlagValues<F>, positionals };
}

/** The text of `--help`. */
export function helpText(program: Program): string {
  const { task, usage, options = {}, words, examples = [], notes } = program;
  if (program.help !== undefined) return program.help();
  const described = Object.entries(options).filter(([, { about }]) => about !== undefined);
  const command = commandWith(Object.fromEntries(described)).name(`deno task ${task}`).description(
    usage.trim(),
  )
    .usage(["[options]", ...(words === undefined ? [] : [words])].join(" "))
    .helpOption("-h, --help", "shows this").version("", "--version", "shows the version");
  const width = Math.max(0, ...examples.map(([line]) => line.length));
  const lines = examples.map(([line, about]) => `  deno task ${line.padEnd(width)}  ${about}`.trimEnd());
  const parts = [
    command.helpInformation().trim(),
    ...(lines.length === 0 ? [] : [`Examples:\n${lines.join("\n")}`]),
    ...(notes === undefined ? [] : [notes.trim()]),
  ];
  return `${parts.join("\n\n")}\n`;
}

/** A command of commander's with these flags; it neither prints nor exits. */
export function commandWith(flags: Flags): Command {
  const command = new Command().exitOverride().helpOption(false)
    .configureOutput({ writeErr: () => {}, getOutHelpWidth: () => 110, getOutHasColors: () => false });
  for (const [name, flag] of Object.entries(flags)) command.addOption(optionOf(name, flag));
  return command;
}

function optionOf(name: string, { type, multiple, default: preset, about = "", value }: Flag): Option {
  const shown = typeof preset === "string" ? `${about} (${preset})`.trim() : about;
  const option = new Option(type === "boolean" ? `--${name}` : `--${name} <${value ?? "VALUE"}>`, shown);
  if (multiple === true) {
    option.argParser((text: string, before: readonly string[] | undefined) => [...before ?? [], text]);
  }
  return option;
}

/** Commander's refusal of a command line in our words. */
export function plainWords({ code, message }: CommanderError): string {
  const [, name = ""] = /'([^' ]*)/.exec(message) ?? [];
  if (code === "commander.optionMissingArgument") return `${name} needs a value`;
  if (!/^commander\.unknown(Option|Command)$/.test(code)) return message.replace(/^error: /, "");
  const [, near] = /\(Did you mean (?:one of )?(\S+?)[,?]/.exec(message) ?? [];
  return `There is no ${name}${near === undefined ? "" : `: do you mean ${near}?`}`;
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
 * @param launcher what the launcher was called, where one started us.
 */
export function commandsAsStarted(
  text: string,
  deno: string = Deno.execPath(),
  launcher: string | undefined = launcherName(),
): string {
  const started = launcher ?? (/[\\/]_npx[\\/]/.test(deno) ? "npx -y deno task" : undefined);
  if (started === undefined) return text;
  return text.replace(/(?:npx (?:-y )?)?\bdeno task (?:ackpool )?(?=[a-z-])/g, () => `${started} `);
}

/** `./ackpool`, where that started us. */
function launcherName(): string | undefined {
  const { state } = Deno.permissions.querySync({ name: "env", variable: "ACKPOOL_COMMAND" });
  return state === "granted" ? Deno.env.get("ACKPOOL_COMMAND") || undefined : undefined;
}
