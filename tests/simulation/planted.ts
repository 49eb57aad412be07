// A copy of the core with one defect in it, in a folder of its own.

import { pathToFileURL } from "node:url";
import { readModules } from "../support/module_graph.ts";
import type { Defect } from "./defects.ts";
import type { Core } from "./surroundings.ts";

/** What the machine and the balancer import lies in these. */
const FOLDERS = ["consumer/core", "consumer/records", "shared"];

/**
 * Copies the core to a folder, with the defect in it, and loads it from there.
 *
 * @throws {Error} when the symbol is not exported by exactly one file, or the defect's text does not stand in that file
 * exactly once: then the core has changed and the defect must too.
 */
export async function plant(defect: Defect, folder: string): Promise<Core> {
  const pathOf = await copySources(folder);
  const path = `${folder}/${pathOf(defect.exported)}`;
  await Deno.writeTextFile(path, withDefect(await Deno.readTextFile(path), defect));
  const load = (symbol: string) => import(pathToFileURL(`${folder}/${pathOf(symbol)}`).href);
  const { Machine } = await load("Machine");
  const { Balancer } = await load("Balancer");
  const { LetterLog } = await load("LetterLog");
  return { Machine, Balancer, LetterLog };
}

/** Copies every module; returns where the module lies that exports a symbol. */
async function copySources(folder: string): Promise<(exported: string) => string> {
  const modules = await readModules(FOLDERS);
  for (const { path, text } of modules) {
    await Deno.mkdir(`${folder}/${path}`.replace(/\/[^/]*$/, ""), { recursive: true });
    await Deno.writeTextFile(`${folder}/${path}`, text);
  }
  return (exported) => pathExporting(exported, modules);
}

/** The path of the one module that exports a symbol. @throws {Error} when none does, or several do. */
export function pathExporting(exported: string, modules: readonly { path: string; text: string }[]): string {
  const declares = new RegExp(
    `^export (?:async )?(?:abstract )?(?:class|function|const) ${exported}\\b`,
    "m",
  );
  const [only, ...others] = modules.filter(({ text }) => declares.test(text));
  if (only === undefined || others.length > 0) {
    throw new Error(`"${exported}" is exported by ${only === undefined ? "no file" : "several files"}`);
  }
  return only.path;
}

/** A text with a defect in it. @throws {Error} when what the defect replaces does not stand there exactly once. */
export function withDefect(source: string, { name, text, instead }: Omit<Defect, "exported">): string {
  const found = source.split(text).length - 1;
  if (found !== 1) throw new Error(`"${name}" does not fit: its text is there ${found} times`);
  return source.replace(text, () => instead);
}
