// Misspelt variables: names in the environment that nobody reads and that are close to one of ours. Pure.

import { nearest } from "../nearest.ts";
import { variables } from "./variables.ts";

const NAMES = Object.keys(variables);

/** What others call a variable of ours. */
const ALIASES: Readonly<Record<string, string>> = {
  KAFKA_BOOTSTRAP_SERVER: "KAFKA_BROKERS",
  KAFKA_BOOTSTRAP_SERVERS: "KAFKA_BROKERS",
  KAFKA_HOST: "KAFKA_BROKERS",
  KAFKA_URL: "KAFKA_BROKERS",
  OPENAI_API_BASE: "OPENAI_BASE_URL",
  OPENAI_URL: "OPENAI_BASE_URL",
  OPENAI_TOKEN: "OPENAI_API_KEY",
  POSTGRES_URL: "DATABASE_URL",
  WORKERS: "WORKER_URL",
};

/** What our tests read, and what Kubernetes sets for each service beside a pod. */
const OTHERS = /_(TEST|SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP)(_\w+)?)?)$/;

/** One line for each name in the environment that probably means another: `KAFKA_BROKER is not read: …`. */
export function misspeltVariables(names: Iterable<string>): readonly string[] {
  return [...new Set(names)].filter((name) => !NAMES.includes(name) && !OTHERS.test(name)).flatMap((name) => {
    const meant = ALIASES[name.toUpperCase()] ?? variableNear(name);
    return meant === undefined ? [] : [`${name} is not read: do you mean ${meant}?`];
  }).sort();
}

/** The commonest ways to misspell a variable: a letter or `_` too few or too many, two exchanged, others' names. */
export function* misspellings(): Generator<string> {
  yield* Object.keys(ALIASES);
  for (const name of NAMES) {
    yield `${name}S`;
    for (let at = 0; at < name.length; at++) {
      const [before, letter, after] = [name.slice(0, at), name[at] ?? "", name.slice(at + 1)];
      yield before + after;
      yield before + letter + letter + after;
      yield before + after.slice(0, 1) + letter + after.slice(1);
    }
  }
}

function variableNear(name: string): string | undefined {
  const upper = name.toUpperCase().replaceAll("-", "_");
  if (NAMES.includes(upper)) return upper;
  // Names of one or two short words are near too many of others' own.
  if (upper.length < 8) return undefined;
  return nearest(upper, NAMES) ?? NAMES.find((ours) => sameWords(upper, ours));
}

/** Whether both begin with the same word and one only lacks words of the other: `OPENAI_KEY`, `KAFKA_SASL_PASSWORD`. */
function sameWords(a: string, b: string): boolean {
  const [fewer, more] = [a.split("_"), b.split("_")].sort((x, y) => x.length - y.length);
  if (fewer === undefined || more === undefined || fewer.length < 2 || fewer[0] !== more[0]) return false;
  return fewer.every((word) => more.includes(word));
}
