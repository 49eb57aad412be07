// Paths of the project: its files, and the folder it keeps things in.

import { fileURLToPath } from "node:url";

/** Absolute path of a file or folder of the project. */
export function projectPath(relative: string): string {
  return fileURLToPath(new URL(`../${relative}`, import.meta.url));
}

/** Folder for everything that is kept between two starts; absolute. */
export function homeFolder(asked: string | undefined, workingFolder: string): string {
  if (asked === undefined) return projectPath(".ackpool");
  return asked.startsWith("/") ? asked : `${workingFolder}/${asked}`;
}

/** Folder for what can be made again at any time. */
export const CACHE_FOLDER: string = projectPath(".ackpool/cache");

/** Whether there is a file or folder. */
export async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
