// Packages of deno.lock: each with its version, hash, dependencies, and what its own package.json says of its licence.

/** One package of the lock file. */
export interface LockPackage {
  readonly name: string;
  readonly version: string;
  /** `sha512-` and the hash in base64, as the registry gives it. */
  readonly integrity: string;
  /** Names and versions, `name@version`, as {@link idOf} gives them. */
  readonly dependencies: readonly string[];
  /** An SPDX expression; undefined where the package is not installed on this machine or does not say. */
  readonly licence: string | undefined;
  /** It is for other machines: a binary of another platform. */
  readonly isElsewhere: boolean;
}

interface Entry {
  readonly integrity: string;
  readonly dependencies?: readonly string[];
  readonly optionalDependencies?: readonly string[];
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
}

const ROOT = new URL("../../../", import.meta.url).pathname;
const INSTALLED = `${ROOT}node_modules/.deno/`;

/** How packages name each other. */
export const idOf = ({ name, version }: Pick<LockPackage, "name" | "version">): string =>
  `${name}@${version}`;

/** All packages, in the order of the lock file. */
export async function lockPackages(): Promise<readonly LockPackage[]> {
  const lock = JSON.parse(await Deno.readTextFile(`${ROOT}deno.lock`)) as { npm: Record<string, Entry> };
  const entries = Object.entries(lock.npm);
  const versions = Map.groupBy(entries.map(([key]) => nameOf(key)), ({ name }) => name);
  const resolve = (dependency: string) => {
    const { name, version } = nameOf(dependency);
    const [only] = versions.get(name) ?? [];
    return idOf({ name, version: version === "" ? only?.version ?? "" : version });
  };
  return await Promise.all(entries.map(async ([key, entry]) => {
    const named = nameOf(key);
    const dependencies = [...entry.dependencies ?? [], ...entry.optionalDependencies ?? []].map(resolve);
    const licence = await licenceOf(named);
    const isElsewhere = licence === undefined && entry.os !== undefined;
    return { ...named, integrity: entry.integrity, dependencies, licence, isElsewhere };
  }));
}

/** `@scope/name@1.0.0_peer@2.0.0` without its peers. */
function nameOf(key: string): { readonly name: string; readonly version: string } {
  const [, name = "", version = ""] = /^(@?[^@]+)(?:@([^_]+))?/.exec(key) ?? [];
  return { name, version };
}

async function licenceOf(named: Pick<LockPackage, "name" | "version">): Promise<string | undefined> {
  const folder = `${INSTALLED}${idOf(named).replace("/", "+")}/node_modules/${named.name}`;
  const text = await Deno.readTextFile(`${folder}/package.json`).catch(() => undefined);
  if (text === undefined) return undefined;
  const { license } = JSON.parse(text) as { license?: unknown };
  return typeof license === "string" ? license : undefined;
}
