// Which test files Kafka or PostgreSQL make a difference to: those that reach a module that reads their addresses.

import { readModules } from "./module_graph.ts";

const ADDRESSES = /KAFKA_BROKERS_TEST|DATABASE_URL_TEST/;

/** The test files of some folders, split: those that use the services, and those that would only run twice. */
export async function serviceTests(
  folders: readonly string[],
): Promise<{ readonly using: readonly string[]; readonly others: readonly string[] }> {
  const modules = new Map((await readModules(["tests"])).map((module) => [module.path, module]));
  const reaches = (path: string, seen = new Set<string>()): boolean => {
    const module = modules.get(path);
    if (module === undefined || seen.has(path)) return false;
    seen.add(path);
    return ADDRESSES.test(module.text) || module.imports.some(({ target }) => reaches(target, seen));
  };
  const tests = [...modules.keys()].filter((path) =>
    path.endsWith("_test.ts") && folders.some((folder) => path.startsWith(`${folder}/`))
  );
  const { using = [], others = [] } = Object.groupBy(tests, (path) => reaches(path) ? "using" : "others");
  return { using, others };
}
