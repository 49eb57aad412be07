// A copy of the core with one defect in it, in a folder of its own.

import { pathToFileURL } from "node:url";
import type { Defect } from "./defects.ts";
import type { Core } from "./surroundings.ts";

const ROOT = new URL("../../", import.meta.url);
/** What the machine and the balancer import. */
const FOLDERS = ["consumer/core", "shared", "shared/pool"];

/**
 * Copies the core to a folder, with the defect in it, and loads it from there.
 *
 * @throws {Error} when the defect's text is not there exactly once: then the core has changed and the defect must too.
 */
export async function plant(defect: Defect, folder: string): Promise<Core> {
  for (const name of FOLDERS) await copySources(name, folder);
  const path = `${folder}/${defect.file}`;
  const source = await Deno.readTextFile(path);
  const found = source.split(defect.text).length - 1;
  if (found !== 1) {
    throw new Error(`"${defect.name}" does not fit ${defect.file}: its text is there ${found} times`);
  }
  await Deno.writeTextFile(path, source.replace(defect.text, () => defect.instead));
  const { Machine } = await import(pathToFileURL(`${folder}/consumer/core/machine.ts`).href);
  const { Balancer } = await import(pathToFileURL(`${folder}/shared/pool/balancer.ts`).href);
  const { LetterLog } = await import(pathToFileURL(`${folder}/consumer/core/letter_log.ts`).href);
  return { Machine, Balancer, LetterLog };
}

async function copySources(name: string, folder: string): Promise<void> {
  await Deno.mkdir(`${folder}/${name}`, { recursive: true });
  for await (const { name: file, isFile } of Deno.readDir(new URL(`${name}/`, ROOT))) {
    if (isFile) await Deno.copyFile(new URL(`${name}/${file}`, ROOT), `${folder}/${name}/${file}`);
  }
}
