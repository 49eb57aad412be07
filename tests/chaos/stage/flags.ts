// The flags of a campaign's command line: each has a default, wrong ones get one clear line.

import { flagsOrExit } from "../../../shared/process/main.ts";

/** The flags that were given, or their defaults. */
export interface Flags<Name extends string> {
  readonly text: (name: Name) => string;
  /** @throws {RangeError} when the value is not a whole number above 0. */
  readonly whole: (name: Name) => number;
  readonly json: boolean;
}

/** Reads the command line; `--help` prints the usage and exits 0, an unknown flag exits 2. */
export function parseFlags<Name extends string>(
  usage: string,
  defaults: Readonly<Record<Name, string>>,
): Flags<Name> {
  const texts = Object.entries<string>(defaults).map(([name, value]) =>
    [name, { type: "string", default: value }] as const
  );
  const options = { ...Object.fromEntries(texts), json: { type: "boolean", default: false } as const };
  const task = /deno task (\S+)/.exec(usage)?.[1] ?? "";
  const values: Readonly<Record<string, unknown>> =
    flagsOrExit({ task, usage }, { args: Deno.args, options }).values;
  const text = (name: Name) => String(values[name]);
  const whole = (name: Name) => {
    if (!/^[1-9]\d*$/.test(text(name))) {
      throw new RangeError(`--${name} is not a whole number above 0: current value is "${text(name)}"`);
    }
    return Number(text(name));
  };
  return { text, whole, json: values["json"] === true };
}
