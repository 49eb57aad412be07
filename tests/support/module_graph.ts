// The project's modules and what each imports, read from the source text, for the tests that hold the architecture.

/** One import statement. */
export interface Import {
  /** A project path such as `shared/log.ts`, or a package or `node:` specifier. */
  readonly target: string;
  /** Erased at run time: it ties no behaviour. */
  readonly typeOnly: boolean;
}

/** One source file. */
export interface Module {
  /** Path from the project's root. */
  readonly path: string;
  readonly text: string;
  readonly imports: readonly Import[];
}

const ROOT = new URL("../../", import.meta.url);
const STATEMENT = /^\s*(?:import|export)\s+(type\s)?(?:[^"';]*?\sfrom\s+)?"([^"]+)"/gm;
const DYNAMIC = /\bimport\(\s*"([^"]+)"\s*\)/g;

/** Every `.ts` and `.tsx` file under some folders of the project, sorted by path. */
export async function readModules(folders: readonly string[]): Promise<readonly Module[]> {
  const modules: Module[] = [];
  for (const folder of folders) {
    for await (const path of filesUnder(folder)) {
      const text = await Deno.readTextFile(new URL(path, ROOT));
      modules.push({ path, text, imports: importsOf(path, text) });
    }
  }
  return modules.sort((a, b) => a.path < b.path ? -1 : 1);
}

/** Code without comments, string contents kept: for searches that a remark must not trip. */
export function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|[^:"'`])\/\/.*$/gm, "$1");
}

async function* filesUnder(folder: string): AsyncGenerator<string> {
  for await (const entry of Deno.readDir(new URL(`${folder}/`, ROOT))) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) yield* filesUnder(path);
    else if (/\.tsx?$/.test(entry.name)) yield path;
  }
}

function importsOf(path: string, text: string): Import[] {
  const code = withoutComments(text);
  const fixed = [...code.matchAll(STATEMENT)].map(([, type, target]) => ({
    target,
    typeOnly: type !== undefined,
  }));
  const dynamic = [...code.matchAll(DYNAMIC)].map(([, target]) => ({ target, typeOnly: false }));
  return [...fixed, ...dynamic].flatMap(({ target, typeOnly }) =>
    target === undefined ? [] : [{ target: resolve(path, target), typeOnly }]
  );
}

function resolve(from: string, target: string): string {
  if (!target.startsWith(".")) return target;
  return new URL(target, new URL(from, "file:///")).pathname.slice(1);
}
