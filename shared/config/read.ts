// The reading of the environment: all problems at once, no secret shown.

import type { LogConfig } from "../log.ts";
import { type Values, type Variable, type VariableName, variables } from "./variables.ts";

/** Reads one variable; `Deno.env.get` in production, a plain lookup in tests. */
export type Environment = (name: string) => string | undefined;

/** The environment cannot be used. The message has one line a problem. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  constructor(readonly problems: readonly string[]) {
    super(problems.join("\n"));
  }
}

/** What could be read of some variables: one that is missing or wrong is undefined. */
export type Readable<Name extends VariableName> = Partial<Values<Name>>;

/**
 * Reads the named variables. An empty value counts as not set.
 *
 * @param check what is wrong with the variables together; it sees those that can be read.
 * @throws {ConfigError} naming every missing or wrong variable at once; a secret's value is never in it.
 */
export function readVariables<Name extends VariableName>(
  names: readonly Name[],
  env: Environment,
  check: (values: Readable<Name>) => readonly string[] = () => [],
): Values<Name> {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const name of names) {
    const { schema, fallback, about, secret }: Variable<unknown> = variables[name];
    const raw = env(name)?.trim() || fallback;
    if (raw === undefined) problems.push(`${name} is not set (${about})`);
    if (raw === undefined || raw === null) continue;
    const read = schema.safeParse(raw);
    if (read.success) values[name] = read.data;
    else {problems.push(
        `${name} ${read.error.issues[0]?.message}${secret ? "" : `: current value is ${shown(raw)}`}`,
      );}
  }
  problems.push(...check(values as Readable<Name>));
  if (problems.length > 0) throw new ConfigError(problems);
  return values as Values<Name>;
}

/** A value for people, without a password that may stand in it: RFC 3986 section 3.2.1. */
function shown(raw: string): string {
  return JSON.stringify(raw.replace(/\/\/[^/@\s]*@/g, "//…@"));
}

/**
 * Reads several parts of the environment.
 *
 * @throws {ConfigError} with the problems of all of them, each named once: nobody mends one to be told of the next.
 */
export function collectProblems<Parts extends readonly unknown[]>(
  ...parts: { readonly [P in keyof Parts]: () => Parts[P] }
): Parts {
  const problems = new Set<string>();
  const values = parts.map((read) => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      for (const problem of error.problems) problems.add(problem);
    }
  });
  if (problems.size > 0) throw new ConfigError([...problems]);
  return values as unknown as Parts;
}

/** What the environment says about logs; `pretty` where standard output is a terminal and nothing else is asked for. */
export function logConfig(env: Environment, terminal: boolean): LogConfig {
  const asked = (name: string) => env(name) ?? (name === "LOG_FORMAT" && terminal ? "pretty" : undefined);
  const { LOG_LEVEL, LOG_FORMAT } = readVariables(["LOG_LEVEL", "LOG_FORMAT"], asked);
  return { level: LOG_LEVEL, format: LOG_FORMAT };
}
